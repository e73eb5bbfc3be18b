"""A program that speaks to the API, signed in as nobody or as one of the four people."""

from typing import Any

import pytest
from flask import Flask

from tests.api.program import Program


@pytest.fixture
def program(app: Flask) -> Program:
    """A program nobody is signed in to."""
    return Program(app)


@pytest.fixture
def adas(program: Program, ada: Any) -> Program:
    return program.as_(ada)


@pytest.fixture
def bens(program: Program, ben: Any) -> Program:
    return program.as_(ben)


@pytest.fixture
def cleos(program: Program, cleo: Any) -> Program:
    return program.as_(cleo)


@pytest.fixture
def roots(program: Program, root: Any) -> Program:
    return program.as_(root)
