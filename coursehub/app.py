"""`create_app`: the table of contents of the program."""

import logging
from typing import Any

from flask_openapi3 import APIBlueprint, Info, OpenAPI
from jinja2 import StrictUndefined
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from werkzeug.middleware.proxy_fix import ProxyFix

from coursehub import models  # noqa: F401  every row class must be known before the first query
from coursehub.blueprints import BODY_LIMITS, CONTEXT, SITE_MAP, UNSAFE_WITHOUT_TOKEN
from coursehub.cli import commands
from coursehub.infra import cache
from coursehub.infra.services import EXTENSION, Services, build_services
from coursehub.kernel.db import db, engine_options
from coursehub.kernel.encryption import use_keys
from coursehub.kernel.paths import shipped
from coursehub.kernel.settings import Settings
from coursehub.web import components, compression, errors, filters, headers, hosts, limits, maintenance, sessions
from coursehub.web.extensions import babel, csrf, htmx, jwt, limiter, login_manager, migrate

log = logging.getLogger(__name__)


def create_app(settings: Settings, services: Services | None = None, *, statement_timeout_ms: int = 5000) -> OpenAPI:
    """CourseHub with `settings`; `services` replaces the outside world they name. `statement_timeout_ms` bounds SQL."""
    ring = use_keys(settings.key_ring())
    app = OpenAPI(
        "coursehub",
        info=Info(title="CourseHub", version="1.0.0"),
        template_folder=str(shipped("templates")),
        static_folder=str(shipped("static")),
        static_url_path="/static",
        doc_ui=False,
        validation_error_callback=_invalid_body,
    )
    _configure(app, settings, secrets=ring.derive("flask"), statement_timeout_ms=statement_timeout_ms)
    app.extensions[EXTENSION] = services or build_services(settings)
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops)  # type: ignore[method-assign]

    FlaskInstrumentor().instrument_app(app)  # before CSRFProtect: its refusals need a span too
    compression.init_app(app)  # first: what is registered first is done last
    errors.init_app(app)
    sessions.init_app(app, settings)
    limits.body_limits(app, BODY_LIMITS)
    db.init_app(app)
    htmx.init_app(app)
    login_manager.init_app(app)
    maintenance.init_app(app, settings)  # before a closed shop asks for tokens
    csrf.init_app(app)
    jwt.init_app(app)
    limiter.init_app(app)
    babel.init_app(app, default_locale="en")
    migrate.init_app(
        app,
        db,
        directory=str(shipped("migrations")),
        compare_type=True,
        compare_server_default=True,
        render_as_batch=False,
    )
    headers.init_app(app, settings)
    filters.init_app(app)
    components.install(app)

    for blueprint, prefix in SITE_MAP(settings):
        if isinstance(blueprint, APIBlueprint):
            app.register_api(blueprint)
        else:
            app.register_blueprint(blueprint, url_prefix=prefix)
    for endpoint in UNSAFE_WITHOUT_TOKEN:
        csrf.exempt(endpoint)
    for context in CONTEXT:
        app.context_processor(context)
    app.cli.add_command(commands)
    hosts.init_app(app, settings.hosts)
    return app


def _configure(app: OpenAPI, settings: Settings, *, secrets: list[str], statement_timeout_ms: int) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.config.update(
        SECRET_KEY=secrets[0],
        SECRET_KEY_FALLBACKS=secrets[1:],  # a new key signs nobody out
        WTF_CSRF_SECRET_KEY=secrets[::-1],  # and spoils no form that is open: all are accepted, the last one signs
        SETTINGS=settings,
        ENVIRONMENT=settings.environment,
        TIMEZONE=settings.timezone,
        TRUSTED_HOSTS=settings.hosts,
        ADMIN_ALLOWLIST=settings.admin_allowlist,
        LIMIT_FACTOR=settings.limit_factor,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(
            settings.database_url, pool_size=settings.pool_size, statement_timeout_ms=statement_timeout_ms
        ),
        JWT_SECRET_KEY=settings.jwt_secret.get_secret_value(),
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ENCODE_ISSUER="coursehub",
        JWT_DECODE_ISSUER="coursehub",
        JWT_ENCODE_AUDIENCE="coursehub-api",
        JWT_DECODE_AUDIENCE="coursehub-api",
        JWT_ACCESS_TOKEN_EXPIRES=15 * 60,
        JWT_REFRESH_TOKEN_EXPIRES=30 * 24 * 3600,
        # A token lives as long as its session: a page open for two hours still works.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        MAX_FORM_PARTS=1000,
        RATELIMIT_STORAGE_URI=settings.redis_url,
        RATELIMIT_STORAGE_OPTIONS=cache.OPTIONS,
        RATELIMIT_KEY_PREFIX="limit",
    )
    if settings.environment == "production" and settings.admin_2fa == "required":
        log.warning("COURSEHUB_ADMIN_2FA=required is not enforced yet: staff sign in with a password alone.")
    if settings.base_url.startswith("http://") and not settings.supervised and settings.environment == "production":
        log.warning("Serving plain http: cookies are not Secure.")


def _invalid_body(error: Any) -> Any:
    """A request that does not fit its schema: 422 problem+json, one entry for each field."""
    listed = [
        {"pointer": "/" + "/".join(str(part) for part in item["loc"]), "detail": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    malformed = any(item["detail"].startswith("Invalid JSON") for item in listed)
    return errors.problem(
        400 if malformed else 422,
        errors.TITLES[400 if malformed else 422],
        listed[0]["detail"] if listed else "The request does not fit.",
        errors=listed,
    )
