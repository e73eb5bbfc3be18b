"""Every variable CourseHub reads from its environment: named, typed, explained, checked at start."""

import base64
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

_WEAK = {"", "minio123", "coursehub", "guest", "changeme", "secret", "password"}
SIMULATOR_KEY = "sk_test_simulator"


def _named(name: str, default: Any, description: str) -> Any:
    return Field(default, validation_alias=name, description=description)


class _FilesSource(EnvSettingsSource):
    """`NAME_FILE=/run/secrets/x` gives NAME the file's content, for orchestrators that hand secrets over as files."""

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in self.settings_cls.model_fields.values():
            name = str(field.validation_alias)
            path = self.env_vars.get(f"{name}_FILE") or self.env_vars.get(f"{name}_FILE".lower())
            if path:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
        return found


class Settings(BaseSettings):
    """The whole configuration. Names are public: `docs/configuration.md` and `.env.example` list each of them."""

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore", frozen=True)

    environment: Literal["development", "production", "test"] = _named(
        "COURSEHUB_ENV", "production", "production refuses weak secrets; development adds the /dev pages"
    )
    base_url: str = _named(
        "COURSEHUB_BASE_URL", "http://127.0.0.1:8000", "the shop's own address; links in mails use it"
    )
    trusted_hosts: Annotated[list[str], NoDecode] = _named(
        "COURSEHUB_TRUSTED_HOSTS", [], "host names that are answered, comma separated; default: the base URL's host"
    )
    proxy_hops: int | None = _named(
        "COURSEHUB_PROXY_HOPS",
        None,
        "how many reverse proxies stand before the web process; production off loopback must say, also 0",
    )
    insecure_http: bool = _named("COURSEHUB_INSECURE_HTTP", False, "allow plain http off loopback")
    timezone: str = _named("COURSEHUB_TIMEZONE", "UTC", "the shop's zone for nightly jobs and reports")
    data: Path = _named("COURSEHUB_DATA", Path("var"), "where the embedded stack and the local twins keep their files")
    supervised: bool = _named("COURSEHUB_SUPERVISED", False, "set by the supervisor: processes end with their parent")

    keys: SecretStr = _named(
        "COURSEHUB_KEYS", SecretStr(""), "key ring `id:base64-of-32-bytes`, comma separated, newest first"
    )
    jwt_secret: SecretStr = _named("JWT_SECRET", SecretStr(""), "signs the API's bearer tokens (32 characters or more)")

    database_url: str = _named("DATABASE_URL", "", "postgresql+psycopg://… (PostgreSQL 15 to 18)")
    pool_size: int = _named("COURSEHUB_POOL_SIZE", 5, "database connections kept per process")
    redis_url: str = _named("REDIS_URL", "", "redis://… for limits, caches and the live tail")
    amqp_url: str = _named("AMQP_URL", "", "amqp://… RabbitMQ; without it the broker speaks Redis")
    broker_url: str = _named(
        "COURSEHUB_BROKER_URL", "", "redis://… of the embedded broker, used when AMQP_URL is not set"
    )

    s3_endpoint: str = _named("S3_ENDPOINT", "", "http(s)://host:port of MinIO or S3; without it files stay on disk")
    s3_access_key: str = _named("S3_ACCESS_KEY", "", "access key of the bucket")
    s3_secret_key: SecretStr = _named("S3_SECRET_KEY", SecretStr(""), "secret key of the bucket")
    s3_bucket: str = _named("S3_BUCKET", "coursehub", "the private bucket")
    s3_region: str = _named("S3_REGION", "us-east-1", "the bucket's region")

    stripe_secret_key: SecretStr = _named("STRIPE_SECRET_KEY", SecretStr(SIMULATOR_KEY), "sk_test_… or sk_live_…")
    stripe_webhook_secret: SecretStr = _named(
        "STRIPE_WEBHOOK_SECRET", SecretStr("whsec_simulator"), "whsec_… ; several, comma separated, while rotating"
    )
    stripe_api_base: str = _named(
        "COURSEHUB_STRIPE_API_BASE", "", "another address for Stripe's API (the simulator's); empty: Stripe itself"
    )

    smtp_url: str = _named(
        "SMTP_URL",
        "",
        "smtp://user:password@host:587?starttls=1; production needs it, elsewhere mails stay on disk without it",
    )
    mail_from: str = _named("COURSEHUB_MAIL_FROM", "CourseHub <hello@coursehub.example>", "sender of every mail")

    hcaptcha_sitekey: str = _named("HCAPTCHA_SITEKEY", "", "hCaptcha site key; not used yet: there is no captcha")
    hcaptcha_secret: SecretStr = _named("HCAPTCHA_SECRET", SecretStr(""), "hCaptcha secret; not used yet")
    otel_endpoint: str = _named(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "", "OTLP collector; not used yet: traces are not exported"
    )

    admin_allowlist: Annotated[list[str], NoDecode] = _named(
        "COURSEHUB_ADMIN_ALLOWLIST", ["127.0.0.0/8", "::1/128"], "networks that may open /admin, comma separated"
    )
    admin_2fa: Literal["required", "optional"] = _named(
        "COURSEHUB_ADMIN_2FA", "required", "whether staff need a second factor; not enforced yet: there is none"
    )
    limit_factor: float = _named("COURSEHUB_LIMIT_FACTOR", 1.0, "multiplies every rate limit; 20 on the embedded stack")
    maintenance: bool = _named(
        "COURSEHUB_MAINTENANCE",
        False,
        "close the shop for everyone but staff; so does a file `maintenance` in the data folder, at once",
    )
    offline_page: bool = _named(
        "COURSEHUB_OFFLINE_PAGE", True, "browsers keep one page for the time without a net; 0 makes them forget it"
    )
    upload_limit_mb: int = _named("COURSEHUB_UPLOAD_LIMIT_MB", 250, "largest PDF, in megabytes of 1,000,000 bytes")
    private_quota_mb: int = _named(
        "COURSEHUB_PRIVATE_QUOTA_MB", 500, "room for one person's own PDFs, in megabytes of 1,000,000 bytes"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FilesSource(settings_cls)

    @field_validator("trusted_hosts", "admin_allowlist", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("proxy_hops", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("base_url")
    @classmethod
    def _base_url_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
            raise ValueError("COURSEHUB_BASE_URL must be an origin such as https://shop.example, without a path")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _complete_and_strong(self) -> Self:
        missing = [
            name
            for name, value in (
                ("DATABASE_URL", self.database_url),
                ("REDIS_URL", self.redis_url),
                ("COURSEHUB_KEYS", self.keys.get_secret_value()),
                ("JWT_SECRET", self.jwt_secret.get_secret_value()),
                ("AMQP_URL (or COURSEHUB_BROKER_URL)", self.amqp_url or self.broker_url),
            )
            if not value
        ]
        if missing:
            raise ValueError(f"Not set: {', '.join(missing)}. See .env.example.")
        ring = self.key_ring()
        if not ring:
            raise ValueError("COURSEHUB_KEYS holds no key. See .env.example.")
        if self.environment == "production":
            self._refuse_weak_secrets()
            self._refuse_gaps()
        return self

    def _refuse_weak_secrets(self) -> None:
        weak = [
            name
            for name, secret in (
                ("JWT_SECRET", self.jwt_secret),
                ("STRIPE_WEBHOOK_SECRET", self.stripe_webhook_secret),
                *([("S3_SECRET_KEY", self.s3_secret_key)] if self.s3_endpoint else []),
            )
            if secret.get_secret_value() in _WEAK or len(secret.get_secret_value()) < 16
        ]
        if len(self.jwt_secret.get_secret_value()) < 32:
            weak.append("JWT_SECRET (32 characters or more)")
        if self.stripe_secret_key.get_secret_value() == SIMULATOR_KEY and not self.stripe_api_base:
            weak.append("STRIPE_SECRET_KEY")
        if weak:
            raise ValueError(f"Too weak for production: {', '.join(dict.fromkeys(weak))}.")
        if self.base_url.startswith("http://") and not (self.is_loopback or self.insecure_http):
            raise ValueError(
                "COURSEHUB_BASE_URL is plain http off loopback; set COURSEHUB_INSECURE_HTTP=1 to allow it."
            )

    def _refuse_gaps(self) -> None:
        if not self.smtp_url:
            raise ValueError(
                "SMTP_URL is not set: production would keep every mail on disk, links to confirm included."
            )
        if self.proxy_hops is None and not self.is_loopback:
            raise ValueError(
                "COURSEHUB_PROXY_HOPS is not set. Say how many proxies stand before the web process, 0 for none:"
                " rate limits and /admin go by the address they pass on."
            )

    def key_ring(self) -> list[tuple[str, bytes]]:
        """The keys for personal data, newest first: (id, 32 bytes). Raises ValueError on a malformed entry."""
        ring: list[tuple[str, bytes]] = []
        for entry in filter(None, (part.strip() for part in self.keys.get_secret_value().split(","))):
            name, _, encoded = entry.partition(":")
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_")
            if len(key) != 32 or not name or len(name) > 16:
                raise ValueError(
                    "Each entry of COURSEHUB_KEYS is id:base64, 32 bytes of key and an id of 1 to 16 letters."
                )
            ring.append((name, key))
        return ring

    @property
    def hosts(self) -> list[str]:
        """Host names this shop answers to."""
        return self.trusted_hosts or [urlsplit(self.base_url).hostname or ""]

    @property
    def is_loopback(self) -> bool:
        return urlsplit(self.base_url).hostname in {"127.0.0.1", "localhost", "::1"}

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def embedded(self) -> bool:
        """Whether the local twins (disk files, captured mail) serve; the /dev pages exist only then."""
        return self.environment != "production"

    @property
    def upload_limit(self) -> int:
        """Largest accepted upload in bytes."""
        return self.upload_limit_mb * 1_000_000

    @property
    def private_quota(self) -> int:
        """Room for one person's own PDFs in bytes."""
        return self.private_quota_mb * 1_000_000
