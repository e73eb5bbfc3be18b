"""The least program that behaves towards the supervisor as the shop does: migrates, seeds, serves, beats."""

import os
import time
from pathlib import Path

import click
import psycopg
import redis
from flask import Flask
from flask.cli import AppGroup

app = Flask("tiny_shop")
shop = AppGroup("coursehub")
outbox = AppGroup("outbox")
database = AppGroup("db")
shop.add_command(outbox)
app.cli.add_command(shop)
# Registered after Flask-Migrate's own would be; the tiny shop has no Alembic.
app.cli.add_command(database)


def connect() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_URL"].replace("postgresql+psycopg", "postgresql"), autocommit=True)


def beat() -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.set(f"heartbeat:{os.environ['COURSEHUB_PROCESS']}", os.getpid(), ex=30)


@app.get("/readyz")
def ready() -> str:
    with connect() as connection:
        row = connection.execute("SELECT count(*) FROM seeded").fetchone()
    return f"seeded {row[0] if row else 0} times by {os.getpid()}"


@database.command("upgrade")
def upgrade() -> None:
    with connect() as connection:
        connection.execute(
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0001')"
        )
        connection.execute("CREATE TABLE seeded (at timestamptz DEFAULT now())")


@shop.command("seed")
def seed() -> None:
    if Path(os.environ["COURSEHUB_DATA"], "seed-fails").exists():
        raise click.ClickException("the demo data is broken")
    with connect() as connection:
        connection.execute("INSERT INTO seeded DEFAULT VALUES")


@outbox.command("relay")
def relay() -> None:
    while True:
        beat()
        time.sleep(0.2)
