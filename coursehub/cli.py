"""`flask coursehub …`: the commands for operators."""

import click
from flask.cli import AppGroup

commands = AppGroup("coursehub", help="CourseHub's own commands.")


def _say(text: str) -> None:
    click.echo(text)
