"""Where the shipped folders (templates, static, migrations) lie, in a checkout and in an installed package alike."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """The folder `name`, shipped inside the package by a wheel, beside it in a checkout.

    Raises FileNotFoundError when neither exists.
    """
    for base in (_PACKAGE, _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(f"The folder {name!r} was not shipped with CourseHub.")
