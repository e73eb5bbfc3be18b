"""The program itself: its options, its one sentence when it cannot start, and what it stands on."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ops.stripe_simulator import config
from tests.stripe_simulator.conftest import ROOT, Program

_SOURCES = sorted((ROOT / "ops" / "stripe_simulator").glob("*.py"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.stripe_simulator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)


def test_it_stands_on_the_standard_library_alone() -> None:
    assert len(_SOURCES) > 20
    for source in _SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                assert name.partition(".")[0] in sys.stdlib_module_names, f"{source.name} imports {name}"


def test_a_second_one_on_the_same_data_says_why_it_stops(simulator: Program) -> None:
    second = run("--port", "0", "--data", str(simulator.data))
    assert second.returncode == 1
    assert second.stderr == f"Another Stripe simulator already uses {simulator.data}.\n"


def test_a_taken_port_is_named(simulator: Program, tmp_path: Path) -> None:
    port = simulator.url.rpartition(":")[2]
    second = run("--port", port, "--data", str(tmp_path))
    assert second.returncode == 1
    assert second.stderr == f"Port {port} on 127.0.0.1 is already taken.\n"


@pytest.mark.parametrize(
    "arguments",
    [("--port", "99999"), ("--webhook-url", "nowhere"), ("--public-url", "ftp://x"), ("--api-key", ",")],
)
def test_nonsense_options_are_refused(arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_the_environment_fills_in_what_the_command_line_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SIMULATOR_PORT", "9001")
    monkeypatch.setenv("STRIPE_SIMULATOR_KEY", "sk_test_a, sk_test_b")
    monkeypatch.setenv("STRIPE_SIMULATOR_WEBHOOK_URL", "http://127.0.0.1:8000/hook")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_other")
    monkeypatch.setenv("ASYNC_DELAY", "3")
    chosen = config.from_arguments(["--host", "127.0.0.2"])
    assert (chosen.host, chosen.port, chosen.api_keys) == ("127.0.0.2", 9001, ("sk_test_a", "sk_test_b"))
    assert (chosen.webhook_url, chosen.webhook_secret) == ("http://127.0.0.1:8000/hook", "whsec_other")
    assert chosen.async_delay == 3.0
    assert config.from_arguments(["--port", "9002"]).port == 9002
