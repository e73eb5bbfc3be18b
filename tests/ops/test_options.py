"""What a person may ask of `make run`, and what the shop's processes are told."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursehub.kernel.settings import Settings
from ops.embedded import keys, migrations, options, ports, shop
from ops.embedded.places import LONGEST_SOCKET_PATH, Places
from ops.embedded.problems import CannotRun

ROOT = Path("/srv/coursehub")
SERVICES = shop.Services(
    database_url="postgresql+psycopg://coursehub@/coursehub?host=%2Fs",
    redis_url="redis://127.0.0.1:1/0",
    broker_url="redis://:x@127.0.0.1:2/0",
)


def told(inherited: dict[str, str], tmp_path: Path) -> dict[str, str]:
    made = keys.load_or_make(tmp_path / "keys.json", data_exists=False)
    return shop.environment(options.read(inherited, ROOT), SERVICES, made, inherited)


def test_nothing_asked_means_port_8000_on_this_machine_with_the_demo_shop() -> None:
    wanted = options.read({}, ROOT)
    assert (wanted.address, wanted.simulator_address) == ("http://127.0.0.1:8000", "http://127.0.0.1:8001")
    assert (wanted.data, wanted.seed, wanted.simulates_stripe) == (ROOT / "var", True, True)


@pytest.mark.parametrize("port", ["http", "0", "-1", "65535", "80 80", "８０００", "99999"])
def test_a_port_that_is_none_is_a_sentence(port: str) -> None:
    with pytest.raises(CannotRun, match="PORT must be a number from 1 to 65534"):
        options.read({"PORT": port}, ROOT)


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("::1", "http://[::1]:8000")],
)
def test_the_address_on_screen_can_be_opened(host: str, address: str) -> None:
    assert options.read({"HOST": host}, ROOT).address == address


def test_what_the_shop_is_told_satisfies_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in told({}, tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.environment == "development"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.stripe_api_base == "http://127.0.0.1:8001"
    assert settings.limit_factor == 20
    assert settings.admin_2fa == "optional"
    assert settings.supervised
    assert [name for name, _ in settings.key_ring()] == ["k1"]


def test_whatever_a_person_sets_by_name_wins_one_by_one(tmp_path: Path) -> None:
    mine = {"JWT_SECRET": "mine", "COURSEHUB_LIMIT_FACTOR": "1", "COURSEHUB_KEYS_FILE": "/run/secrets/keys"}
    environment = told(mine, tmp_path)
    assert environment["JWT_SECRET"] == "mine"
    assert environment["COURSEHUB_LIMIT_FACTOR"] == "1"
    assert "COURSEHUB_KEYS" not in environment
    assert environment["STRIPE_SECRET_KEY"] == "sk_test_simulator"


def test_a_stripe_key_replaces_the_simulator_and_leaves_no_known_webhook_secret(tmp_path: Path) -> None:
    environment = told({"STRIPE_SECRET_KEY": "sk_test_51"}, tmp_path)
    assert "COURSEHUB_STRIPE_API_BASE" not in environment
    assert environment["STRIPE_WEBHOOK_SECRET"] not in {"", "whsec_simulator"}


def test_a_service_may_be_named_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://elsewhere:6379/0\n")
    wanted = options.read({"REDIS_URL_FILE": str(tmp_path / "url")}, ROOT)
    assert wanted.named["REDIS_URL"] == "redis://elsewhere:6379/0"
    with pytest.raises(CannotRun, match="SMTP_URL_FILE names /nowhere, which cannot be read"):
        options.read({"SMTP_URL_FILE": "/nowhere"}, ROOT)


def test_no_process_argument_holds_a_secret(tmp_path: Path) -> None:
    environment = told({}, tmp_path)
    wanted = options.read({}, ROOT)
    arguments = [*shop.processes(wanted, ROOT, environment), shop.simulator(wanted, ROOT, environment)]
    secrets = [environment[name] for name in ("COURSEHUB_KEYS", "JWT_SECRET", "COURSEHUB_BROKER_URL")]
    for child in arguments:
        assert not [word for word in child.command if word in secrets]


def test_every_queue_has_exactly_one_worker(tmp_path: Path) -> None:
    from coursehub.infra.broker import TOPOLOGY

    children = shop.processes(options.read({}, ROOT), ROOT, told({}, tmp_path))
    served = [word for child in children for word in child.command if word.endswith(".q")]
    assert len(served) == len(set(served))
    assert set(served) <= set(TOPOLOGY)


def test_a_taken_port_is_a_sentence_and_a_free_one_is_not() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        with pytest.raises(CannotRun, match=f"Port {port} on 127.0.0.1, needed for the shop, is taken"):
            ports.require_free("127.0.0.1", port, use="the shop")
    ports.require_free("127.0.0.1", port, use="the shop")


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A runtime directory whose own path is short, as the system's is."""
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        yield Path(folder)


def test_a_long_path_moves_the_socket_to_a_private_folder(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    far = tmp_path / ("far-away" * 12) / "socket"
    chosen = Places(tmp_path).socket_folder(far, ".s.PGSQL.5432")
    assert chosen.parent == runtime
    assert len(str(chosen / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    assert chosen.stat().st_mode & 0o077 == 0
    near = Path("/tmp/var/postgres/socket")
    assert Places(tmp_path).socket_folder(near, ".s.PGSQL.5432") == near
    chosen.chmod(0o777)
    with pytest.raises(CannotRun, match="open to other users"):
        Places(tmp_path).socket_folder(far, ".s.PGSQL.5432")


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(CannotRun, match="cannot write to its data folder"):
        Places(tmp_path / "var").make()


def test_two_runs_cannot_hold_one_data_folder(tmp_path: Path) -> None:
    places = Places(tmp_path)
    first = places.only_one("http://127.0.0.1:8000")
    with pytest.raises(CannotRun, match=r"already runs on this data .*process \d+, http://127.0.0.1:8000"):
        places.only_one("http://127.0.0.1:9000")
    first.close()
    with places.only_one("http://127.0.0.1:9000"):
        pass


def test_the_newest_migration_is_told_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "0001.py").write_text('revision = "0001"\ndown_revision = None\n')
    (tmp_path / "0002.py").write_text("revision: str = '0002'\ndown_revision: str | None = '0001'\n")
    assert migrations.heads(tmp_path) == {"0002"}
    (tmp_path / "0003.py").write_text("revision = '0003'\ndown_revision = '0001'\n")
    assert migrations.heads(tmp_path) == {"0002", "0003"}
    (tmp_path / "0004.py").write_text("revision = '0004'\ndown_revision = ('0002', '0003')\n")
    assert migrations.heads(tmp_path) == {"0004"}


def test_a_database_that_does_not_answer_is_not_called_current(tmp_path: Path) -> None:
    (tmp_path / "0001.py").write_text('revision = "0001"\ndown_revision = None\n')
    assert not migrations.is_current(f"postgresql+psycopg://nobody@127.0.0.1:{ports.a_free_one()}/none", tmp_path)
