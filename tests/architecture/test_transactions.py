"""One place commits, and nothing slow happens before it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for top in ("coursehub", "tasks") for path in (ROOT / top).rglob("*.py"))
PLACE = "coursehub/kernel/db.py"

# Who ends a transaction without `transaction()`: the relay is no Flask process, it has a session of its own.
OWN_SESSION = {"coursehub/infra/relay.py"}
# Connections outside any transaction: they hold a lock or listen, and write nothing.
AUTOCOMMIT = {"coursehub/infra/relay.py", "coursehub/mail/delivery.py", "tasks/schedule.py"}
# What reaches over the network or starts a child. Inside `with transaction()` a row would stay locked meanwhile.
SLOW = {"services", "sleep", "urlopen", "Popen"}
CLIENTS = {"gateway", "storage", "mailer", "pdf", "smtp", "redis"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Each call in `tree`: the last name before the dot, the name called, the line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute):
            owner = node.func.value
            before = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            yield before, node.func.attr, node.lineno
        elif isinstance(node.func, ast.Name):
            yield "", node.func.id, node.lineno


def blocks(tree: ast.AST) -> Iterator[ast.With]:
    """Each `with transaction()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            for item in node.items:
                if any(called == "transaction" for _, called, _ in calls(item.context_expr)):
                    yield node


def commits(source: str) -> list[int]:
    return [line for _, called, line in calls(ast.parse(source)) if called == "commit"]


def slow_calls(source: str) -> list[tuple[int, str]]:
    """Calls on clients of the outside world inside `with transaction()`."""
    return [
        (line, f"{before}.{called}".strip("."))
        for block in blocks(ast.parse(source))
        for statement in block.body
        for before, called, line in calls(statement)
        if called in SLOW or before in CLIENTS
    ]


def test_only_the_database_module_commits() -> None:
    found = {name_of(path) for path in SOURCES if commits(path.read_text())}
    assert found == {PLACE}


def test_only_the_relay_has_a_session_of_its_own() -> None:
    def begins(path: Path) -> bool:
        # A savepoint (`begin_nested`) ends inside the transaction of the edge; `begin` would end it.
        return any(called == "begin" for _, called, _ in calls(ast.parse(path.read_text())))

    assert {name_of(path) for path in SOURCES if begins(path)} == OWN_SESSION


def test_only_locks_and_listeners_live_outside_transactions() -> None:
    assert {name_of(path) for path in SOURCES if "AUTOCOMMIT" in path.read_text()} == AUTOCOMMIT


@pytest.mark.parametrize("path", [path for path in SOURCES if "transaction()" in path.read_text()], ids=name_of)
def test_nothing_slow_happens_inside_a_transaction(path: Path) -> None:
    assert slow_calls(path.read_text()) == []


def test_no_transaction_stands_inside_another() -> None:
    """`transaction()` raises when it is nested; this finds it before it runs."""
    for path in SOURCES:
        for block in blocks(ast.parse(path.read_text())):
            inner = [found.lineno for statement in block.body for found in blocks(statement)]
            assert inner == [], f"{name_of(path)}:{inner}"


def test_nobody_writes_on_a_connection_of_its_own() -> None:
    """It would write past the transaction of the edge."""
    allowed = {"coursehub/mail/delivery.py"}  # an advisory lock on a connection of its own
    found = {name_of(path) for path in SOURCES if "db.engine.connect" in path.read_text()}
    assert found <= allowed


def test_the_search_finds_what_it_looks_for() -> None:
    """The control of everything above."""
    assert commits("def f(s):\n    s.commit()\n    db.session.commit()") == [2, 3]
    guilty = "with transaction() as session:\n    x = 1\n    services().storage.put(key, body)\n    gateway.refund(x)"
    assert [what for _, what in slow_calls(guilty)] == ["storage.put", "services", "gateway.refund"]
    assert slow_calls("with transaction():\n    row.status = 'sent'\nmailer.send(mail)") == []
