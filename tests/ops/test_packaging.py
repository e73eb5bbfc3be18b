"""Lists that must be whole: packages, features in the contracts, lock files, images."""

import configparser
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    *("web", "worker-io", "worker-media", "relay", "clock", "migrate"),
    *("postgres", "redis", "rabbitmq", "minio", "mailpit"),
}
CONTRACTS_OF_FEATURES = ("inside", "http-at-the-edge", "one-file-per-sdk")
NOT_FEATURES = {"api", "infra", "kernel", "web"}


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser()
    parsed.read(ROOT / "setup.cfg", encoding="utf-8")
    return parsed


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


def lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}


def test_setup_cfg_names_every_package(setup_cfg: configparser.ConfigParser) -> None:
    found = {"coursehub.migrations", "coursehub.migrations.versions", "coursehub.static", "coursehub.templates"}
    for top in ("coursehub", "tasks"):
        for module in (ROOT / top).rglob("__init__.py"):
            found.add(".".join(module.parent.relative_to(ROOT).parts))
    assert lines(setup_cfg["options"]["packages"]) == found


@pytest.mark.parametrize("contract", CONTRACTS_OF_FEATURES)
def test_each_contract_names_every_feature(setup_cfg: configparser.ConfigParser, contract: str) -> None:
    section = setup_cfg[f"importlinter:contract:{contract}"]
    listed = lines(section.get("containers", "") + section.get("source_modules", ""))
    features = {folder.parent.name for folder in (ROOT / "coursehub").glob("*/__init__.py")} - NOT_FEATURES
    assert {f"coursehub.{feature}" for feature in features} <= listed


def test_lock_files_carry_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        pins = re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)
        assert pins, lock.name
        for pin in text.split("\n\n")[0], *re.split(r"\n(?=[a-z0-9])", text)[1:]:
            assert "==" not in pin or "--hash=sha256:" in pin, pin
    assert {lock.stem for lock in (ROOT / "requirements").glob("*.txt")} == {
        lock.stem for lock in (ROOT / "requirements").glob("*.in")
    }


def test_the_lock_of_the_browser_files_is_exact_and_carries_no_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for path, package in lock["packages"].items():
        assert "resolved" not in package
        assert not path or package["integrity"].startswith("sha512-")


def test_every_icon_is_in_the_sprite_once_and_nothing_in_it_acts() -> None:
    sprite = (ROOT / "static" / "vendor" / "icons.svg").read_text(encoding="utf-8")
    names = lines(re.sub(r"(?m)^#.*$", "", (ROOT / "ops" / "icons.txt").read_text(encoding="utf-8")))
    drawn = re.findall(r'<symbol id="([^"]+)" viewBox="[-\d. ]+">', sprite)
    assert set(drawn) == names
    assert len(drawn) == len(names)
    assert "<script" not in sprite
    assert "style" not in sprite


def test_every_icon_that_a_template_names_is_in_the_list() -> None:
    names = lines((ROOT / "ops" / "icons.txt").read_text(encoding="utf-8"))
    used: dict[str, str] = {}
    for template in (ROOT / "templates").rglob("*.html"):
        for name in re.findall(r"""(?:\bicon\s*=\s*|ui\.icon\()["']([a-z0-9_-]+)["']""", template.read_text("utf-8")):
            used[name] = str(template.relative_to(ROOT))
    assert {name: place for name, place in used.items() if name not in names} == {}


def test_a_second_set_up_has_nothing_to_do_and_says_nothing() -> None:
    subprocess.run(["ops/bin/setup", "--dev"], cwd=ROOT, check=True, capture_output=True)
    started = time.monotonic()
    again = subprocess.run(["ops/bin/setup", "--dev"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert again.stdout + again.stderr == ""
    assert time.monotonic() - started < 5


def test_compose_has_every_service_and_waits_only_for_those_it_has(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) >= SERVICES
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], f"{name} mounts {volume}"


def test_compose_pins_exact_images_and_publishes_on_this_machine_only(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].partition(":")[2]
        assert re.search(r"\d+\.\d+|\d{4}-\d{2}-\d{2}", tag), f"{name} runs {service['image']}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"


def test_compose_holds_no_secret_and_asks_only_for_documented_names(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", text))
    documented = set(re.findall(r"(?m)^#?\s*([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8")))
    assert asked - documented == set()
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASS|SECRET|KEY|AUTH", variable):
                assert str(value).startswith("${"), f"{name} has {variable} written out"


def test_the_shop_in_compose_is_told_only_names_it_reads(compose: dict[str, Any]) -> None:
    from coursehub.kernel.settings import Settings

    read = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert set(compose["services"]["web"]["environment"]) - read == set()


def test_compose_starts_only_commands_that_the_image_has(compose: dict[str, Any]) -> None:
    entrypoint = (ROOT / "ops" / "entrypoint.sh").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^\s*([a-z]+)\)$", entrypoint))
    for name in SERVICES - {"postgres", "redis", "rabbitmq", "minio", "mailpit"}:
        assert set(compose["services"][name]["command"]) <= known, name


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["worker"], ["worker", "unknown"]])
def test_an_unknown_command_of_the_image_is_a_line_of_help(arguments: list[str]) -> None:
    done = subprocess.run(["sh", "ops/entrypoint.sh", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 64
    assert done.stderr.startswith("usage: web")


def test_the_image_copies_only_files_that_exist_and_are_let_in() -> None:
    dockerfile = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    ignore = lines((ROOT / ".dockerignore").read_text(encoding="utf-8"))
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copies = [
        line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY") and "--from" not in line
    ]
    assert copies
    for source in (source for sources in copies for source in sources):
        assert (ROOT / source).exists(), source
        assert source in allowed, f"{source} is kept out by .dockerignore"


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)$", text))
    for image in re.findall(r"(?m)^FROM (\S+)", text):
        assert image in stages or re.search(r":\d+\.\d+\.\d+", image), image
    assert re.findall(r"(?m)^USER (\S+)$", text)[-1] == "coursehub"


def test_ci_runs_make_test_and_nothing_else() -> None:
    commands = lines(re.sub(r"(?m)^#.*$", "", (ROOT / ".ci" / "run").read_text(encoding="utf-8")))
    assert commands == {"set -euo pipefail", 'cd -- "$(dirname -- "$0")/.."', "exec make test"}
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
