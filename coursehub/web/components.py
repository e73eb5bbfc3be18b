"""The design system as templates see it: the lazy global `ui`, and the two bundles every page links."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from jinja2 import Environment
from rcssmin import cssmin
from rjsmin import jsmin

# In this order; components and features' own sheets follow the frame, helpers come last so that they win.
_FRAME = ("css/tokens.css", "css/reset.css", "css/base.css", "css/layout.css")
_HELPERS = ("css/utilities.css",)
_SCRIPTS = tuple(
    f"js/{name}.js"
    for name in ("app", "toasts", "focus", "dialogs", "forms", "upload", "suggest", "optimistic", "busy", "offline")
)
_TYPES = {"css": "text/css", "js": "text/javascript"}
_TONES = 6


def install(app: Flask) -> None:
    """Give every template `ui`, `asset`, `bundle_css`, `bundle_js` and `cover_tone`."""
    static = Path(app.static_folder or "static")
    app.extensions["bundles"] = Bundles(static, fresh=lambda: app.debug)
    app.jinja_env.globals.update(
        ui=Components(app.jinja_env),
        asset=_asset_addresses(app, static),
        bundle_css=lambda: _bundle_address(app, "css"),
        bundle_js=lambda: _bundle_address(app, "js"),
        cover_tone=cover_tone,
    )


class Components:
    """`ui.button(…)` is the macro `button`, whichever file of templates/components holds it."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._files: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._files:
            self._files = self._index()
        if name not in self._files:
            raise AttributeError(f"no component is called {name!r}")
        # Asked from the environment each time, so that an edited file is seen without a restart.
        return getattr(self._environment.get_template(self._files[name]).module, name)

    def __call__(self) -> list[str]:
        """The names of all components."""
        return sorted(self._index())

    def _index(self) -> dict[str, str]:
        files = self._environment.list_templates(filter_func=lambda name: name.startswith("components/"))
        return {
            macro: file
            for file in files
            for macro in vars(self._environment.get_template(file).module)
            if macro[0] != "_"
        }


class Bundles:
    """The sheets and scripts of the house, each kind joined into one file named by its content."""

    def __init__(self, static: Path, *, fresh: Callable[[], bool]) -> None:
        self._static = static
        self._fresh = fresh
        self._made: dict[str, tuple[str, bytes]] = {}

    def get(self, kind: str) -> tuple[str, bytes]:
        if kind not in self._made or self._fresh():
            self._made[kind] = {"css": stylesheet_bundle, "js": script_bundle}[kind](self._static)
        return self._made[kind]


def bundle(name: str) -> tuple[bytes, str] | None:
    """Bytes and media type of the bundle called `name`; None when today's content has another name.

    While a release rolls out, a page of the new one may ask a process of the old one: other bytes under that name
    would be kept for ever by the browser, so there are none.
    """
    for kind, media_type in _TYPES.items():
        current, content = current_app.extensions["bundles"].get(kind)
        if name == current:
            return content, media_type
    return None


def stylesheet_bundle(static_dir: Path) -> tuple[str, bytes]:
    components = sorted(path.relative_to(static_dir).as_posix() for path in static_dir.glob("css/components/*.css"))
    sheets = [(static_dir / name).read_text("utf-8") for name in (*_FRAME, *components, *_HELPERS)]
    return _named("css", cssmin("\n".join(sheets)).encode())


def script_bundle(static_dir: Path) -> tuple[str, bytes]:
    return _named("js", jsmin("\n".join((static_dir / name).read_text("utf-8") for name in _SCRIPTS)).encode())


def cover_tone(text: object) -> int:
    """One of a few cover colours, always the same for the same course."""
    return zlib.crc32(str(text).encode()) % _TONES


def _named(kind: str, content: bytes) -> tuple[str, bytes]:
    return f"app.{hashlib.sha256(content).hexdigest()[:12]}.{kind}", content


def _bundle_address(app: Flask, kind: str) -> str:
    return f"{app.static_url_path}/bundle/{app.extensions['bundles'].get(kind)[0]}"


def _asset_addresses(app: Flask, static: Path) -> Callable[[str], str]:
    known: dict[str, tuple[int, str]] = {}

    def asset(name: str) -> str:
        """The address of a static file with its content's mark, so that it may be cached for ever."""
        if name not in known or app.debug:
            known[name] = _marked(name, known.get(name))
        return known[name][1]

    def _marked(name: str, before: tuple[int, str] | None) -> tuple[int, str]:
        address, path = f"{app.static_url_path}/{name}", static / name
        if not path.is_file():
            return 0, address
        changed = path.stat().st_mtime_ns
        if before is not None and before[0] == changed:
            return before
        return changed, f"{address}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"

    return asset
