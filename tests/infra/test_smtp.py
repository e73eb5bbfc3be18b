"""Mail leaves by SMTP or is captured on disk; whatever the server does, the sender learns whether to try again."""

import datetime as dt
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coursehub.infra import smtp as smtp_module
from coursehub.infra.local import CapturedMail
from coursehub.infra.smtp import MailRefused, MailUnavailable, SmtpMailer, parse_smtp_url, seven_bit
from coursehub.kernel.settings import Settings
from tests.stack import JWT, KEYS, free_port

PASSWORD = "p@ss:w/ord %"
QUOTED = "p%40ss%3Aw%2Ford%20%25"


def settings_with(data: Path, **named: Any) -> Settings:
    return Settings.model_validate(
        {
            "COURSEHUB_ENV": "test",
            "COURSEHUB_DATA": data,
            "COURSEHUB_KEYS": KEYS,
            "JWT_SECRET": JWT,
            "DATABASE_URL": "postgresql+psycopg://nobody@/nothing",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "COURSEHUB_BROKER_URL": "redis://127.0.0.1:1/1",
            "COURSEHUB_MAIL_FROM": "CourseHub <hello@shop.example>",
            **named,
        }
    )


def a_mail(to: str = "ben@example.com") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "CourseHub <hello@shop.example>"
    message["To"] = to
    message["Subject"] = "Your receipt — Größe"
    message["Message-ID"] = "<mail.1@shop.example>"
    message.set_content("Grüße\n\nhttps://shop.example/account/verify?token=abc=def\n.\n..dots\n", cte="8bit")
    message.add_alternative("<p>Grüße</p>", subtype="html", cte="quoted-printable")
    message.set_boundary("one-boundary")
    return message


@pytest.fixture
def mailer(tmp_path: Path) -> Callable[[str], SmtpMailer]:
    return lambda url: SmtpMailer(settings_with(tmp_path, SMTP_URL=url))


# A real server


class Inbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        envelope.tls = session.ssl is not None
        self.envelopes.append(envelope)
        return "250 taken"


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=data.login == b"shop" and data.password == PASSWORD.encode())


@pytest.fixture
def post_office() -> Iterator[Callable[..., tuple[Inbox, int]]]:
    """Start an SMTP server; returns its inbox and port."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Inbox, int]:
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        running.append(controller)
        return inbox, controller.port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost with its key, trusted by nobody yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_mail_arrives_as_it_was_written(mailer: Any, post_office: Any) -> None:
    inbox, port = post_office()
    message = a_mail()
    mailer(f"smtp://127.0.0.1:{port}").send(message)
    (arrived,) = inbox.envelopes
    assert arrived.mail_from == "hello@shop.example"
    assert arrived.rcpt_tos == ["ben@example.com"]
    assert arrived.content == message.as_bytes(policy=SMTP)
    assert b"https://shop.example/account/verify?token=abc=def\r\n" in arrived.content


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_the_password_of_the_url_is_decoded(mailer: Any, post_office: Any) -> None:
    inbox, port = post_office(authenticator=check_password, auth_required=True, auth_require_tls=False)
    mailer(f"smtp://shop:{QUOTED}@127.0.0.1:{port}").send(a_mail())
    assert len(inbox.envelopes) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_wrong_password_keeps_the_mail_and_tells_nobody_the_password(
    mailer: Any, post_office: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_module, "READ_TIMEOUT", 1.0)  # this server never answers a second try to sign in
    inbox, port = post_office(authenticator=check_password, auth_required=True, auth_require_tls=False)
    with caplog.at_level(logging.DEBUG), pytest.raises(MailUnavailable) as refusal:
        mailer(f"smtp://shop:not-it-at-all@127.0.0.1:{port}").send(a_mail())
    with pytest.raises(MailUnavailable):  # the server wants a sign-in and the URL has none
        mailer(f"smtp://127.0.0.1:{port}").send(a_mail())
    assert inbox.envelopes == []
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("coursehub")]
    assert ours and "not-it-at-all" not in "".join(ours) + str(refusal.value)


def test_starttls_encrypts_and_checks_the_certificate(
    mailer: Any, post_office: Any, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, port = post_office(tls_context=tls, require_starttls=True)
    with pytest.raises(MailUnavailable):
        mailer(f"smtp://localhost:{port}?starttls=1").send(a_mail())
    assert inbox.envelopes == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailer(f"smtp://localhost:{port}?starttls=1").send(a_mail())
    assert [envelope.tls for envelope in inbox.envelopes] == [True]
    with pytest.raises(MailUnavailable):  # the certificate names another host
        mailer(f"smtp://127.0.0.1:{port}?starttls=1").send(a_mail())


def test_a_server_that_lost_its_starttls_gets_no_mail(mailer: Any, post_office: Any) -> None:
    inbox, port = post_office()
    with pytest.raises(MailUnavailable):
        mailer(f"smtp://127.0.0.1:{port}?starttls=1").send(a_mail())
    assert inbox.envelopes == []


def test_smtps_is_encrypted_from_the_first_byte(
    mailer: Any, post_office: Any, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), ssl_context=tls)

    def first_visitor() -> None:  # the controller's own does not trust our certificate
        trusting = ssl.create_default_context(cafile=str(certificate))
        with socket.create_connection(("127.0.0.1", controller.port)) as plain:
            trusting.wrap_socket(plain, server_hostname="localhost").recv(1)

    monkeypatch.setattr(controller, "_trigger_server", first_visitor)
    controller.start()
    try:
        mailer(f"smtps://localhost:{controller.port}").send(a_mail())
    finally:
        controller.stop()
    assert len(inbox.envelopes) == 1


def test_an_address_outside_ascii_is_refused_where_the_server_cannot(mailer: Any, post_office: Any) -> None:
    inbox, port = post_office(enable_SMTPUTF8=True)
    mailer(f"smtp://127.0.0.1:{port}").send(a_mail("jörg@example.com"))
    assert inbox.envelopes[0].rcpt_tos == ["jörg@example.com"]
    inbox, port = post_office(enable_SMTPUTF8=False)
    with pytest.raises(MailRefused):
        mailer(f"smtp://127.0.0.1:{port}").send(a_mail("jörg@example.com"))
    assert inbox.envelopes == []


def test_a_mail_has_exactly_one_recipient(mailer: Any, post_office: Any) -> None:
    inbox, port = post_office()
    with pytest.raises(MailRefused):
        mailer(f"smtp://127.0.0.1:{port}").send(a_mail("ben@example.com, cleo@example.com"))
    assert inbox.envelopes == []


def test_the_seven_bit_copy_says_the_same() -> None:
    copy = seven_bit(a_mail())
    assert copy.as_bytes().isascii()
    assert copy.get_body(("plain",)).get_content() == a_mail().get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert copy["Message-ID"] == "<mail.1@shop.example>"
    assert str(copy["Subject"]) == "Your receipt — Größe"


# A server with a script: what it says at each step, or that it hangs up or falls silent there

STEPS = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "end of data")
USUAL = {
    "greeting": "220 hello",
    "EHLO": "250 hello",
    "HELO": "250 hello",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "end of data": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


@pytest.fixture
def scripted(mailer: Any) -> Iterator[Callable[..., tuple[SmtpMailer, list[bytes]]]]:
    """A mailer for a server that answers as usual but for `changes` (None: hangs up, "": says nothing)."""
    listeners: list[socket.socket] = []
    connections: list[socket.socket] = []

    def start(**changes: str | None) -> tuple[SmtpMailer, list[bytes]]:
        replies = {**USUAL, **{step.replace("_", " "): reply for step, reply in changes.items()}}
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        bodies: list[bytes] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    threading.Thread(target=_talk, args=(connection, replies, bodies), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return mailer(f"smtp://127.0.0.1:{listener.getsockname()[1]}"), bodies

    yield start
    for opened in [*listeners, *connections]:
        with suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
        opened.close()


def _talk(connection: socket.socket, replies: dict[str, str | None], bodies: list[bytes]) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as lines:

        def say(step: str) -> bool:
            reply = replies.get(step, "500 what?")
            if reply is None:
                # A reset, not a polite end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return False
            if reply:
                connection.sendall(f"{reply}\r\n".encode())
            else:
                time.sleep(20)
            return True

        if not say("greeting"):
            return
        for line in lines:
            command = line.split()[0].decode().upper().split(":")[0]
            if not say(command):
                return
            if command == "DATA" and str(replies["DATA"]).startswith("354"):
                body = b""
                for part in lines:
                    if part == b".\r\n":
                        break
                    body += part
                bodies.append(body)
                if not say("end of data"):
                    return
            if command == "QUIT":
                return


@pytest.mark.parametrize("step", STEPS)
def test_not_now_means_try_again(scripted: Any, step: str) -> None:
    mailer, _ = scripted(**{step.replace(" ", "_"): "451 4.3.0 later please", "HELO": "451 later"})
    with pytest.raises(MailUnavailable):
        mailer.send(a_mail())


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "end of data"])
def test_never_means_never(scripted: Any, step: str) -> None:
    mailer, _ = scripted(**{step.replace(" ", "_"): "550 5.1.1 no such person"})
    with pytest.raises(MailRefused, match="550"):
        mailer.send(a_mail())


@pytest.mark.parametrize("step", ["greeting", "EHLO"])
def test_a_server_that_does_not_want_us_at_all_has_not_refused_the_mail(scripted: Any, step: str) -> None:
    mailer, _ = scripted(**{step: "554 go away", "HELO": "554 go away"})
    with pytest.raises(MailUnavailable):
        mailer.send(a_mail())


@pytest.mark.parametrize("step", STEPS)
def test_a_reset_at_any_step_means_try_again(scripted: Any, step: str) -> None:
    mailer, _ = scripted(**{step.replace(" ", "_"): None})
    with pytest.raises(MailUnavailable):
        mailer.send(a_mail())


def test_a_reset_after_the_data_may_double_the_mail_but_not_its_name(scripted: Any) -> None:
    mailer, bodies = scripted(end_of_data=None)
    for _ in range(2):
        with pytest.raises(MailUnavailable):
            mailer.send(a_mail())
    assert [body.count(b"Message-ID: <mail.1@shop.example>") for body in bodies] == [1, 1]


@pytest.mark.parametrize("farewell", [None, "421 bye"])
def test_once_taken_the_farewell_does_not_matter(scripted: Any, farewell: str | None) -> None:
    mailer, bodies = scripted(QUIT=farewell)
    mailer.send(a_mail())
    assert len(bodies) == 1


def test_a_server_of_the_old_school_gets_only_ascii(scripted: Any) -> None:
    mailer, bodies = scripted()
    mailer.send(a_mail())
    assert bodies[0].isascii()
    assert a_mail().as_bytes(policy=SMTP).isascii() is False


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "end of data"])
def test_a_silent_server_costs_no_longer_than_its_budget(
    scripted: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (smtp_module.CONNECT_TIMEOUT, smtp_module.READ_TIMEOUT) == (5.0, 10.0)
    monkeypatch.setattr(smtp_module, "CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr(smtp_module, "READ_TIMEOUT", 1.0)
    mailer, _ = scripted(**{step.replace(" ", "_"): "", "HELO": ""})
    began = time.monotonic()
    with pytest.raises(MailUnavailable):
        mailer.send(a_mail())
    assert time.monotonic() - began < 4


def test_a_server_that_is_down_is_known_at_once(mailer: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        began = time.monotonic()
        with pytest.raises(MailUnavailable):
            mailer(f"smtp://127.0.0.1:{unused.getsockname()[1]}").send(a_mail())
        assert time.monotonic() - began < 2


# The address of the server


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "tls", "starttls"),
    [
        ("smtp://mail.example", "mail.example", 25, "", "", False, False),
        ("smtp://mail.example:2525", "mail.example", 2525, "", "", False, False),
        ("smtp://mail.example?starttls=1", "mail.example", 587, "", "", False, True),
        ("smtp://mail.example?starttls=0", "mail.example", 25, "", "", False, False),
        ("smtps://mail.example", "mail.example", 465, "", "", True, False),
        ("smtps://mail.example?starttls=1", "mail.example", 465, "", "", True, False),
        (f"smtp://a%40b:{QUOTED}@mail.example:587/", "mail.example", 587, "a@b", PASSWORD, False, False),
        ("smtp://[::1]:1025", "::1", 1025, "", "", False, False),
    ],
)
def test_smtp_url_says_where_and_how(
    url: str, host: str, port: int, user: str, password: str, tls: bool, starttls: bool
) -> None:
    found = parse_smtp_url(url)
    assert (found.host, found.port, found.user, found.password) == (host, port, user, password)
    assert (found.tls, found.starttls) == (tls, starttls)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://h:99999",
        "smtp://h/path",
        "smtp://h?tls=1",
        "smtp://ü:x@h",
    ],
)
def test_a_wrong_smtp_url_is_refused_at_start(mailer: Any, url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        mailer(url)


# Captured mail


def test_captured_mails_sort_by_time_and_can_be_read_again(tmp_path: Path) -> None:
    captured = CapturedMail(settings_with(tmp_path))
    assert captured.names() == []
    for number in range(30):
        captured.send(a_mail(f"person{number}@example.com"))
    files = sorted((tmp_path / "mail").iterdir())
    assert all(path.suffix == ".eml" for path in files)
    assert [path.stem for path in files] == captured.names()
    assert [str(mail.message["To"]) for mail in captured.messages()] == [f"person{n}@example.com" for n in range(30)]
    assert [str(mail.message["To"]) for mail in captured.messages(1)] == ["person29@example.com"]
    assert files[-1].read_bytes() == a_mail("person29@example.com").as_bytes(policy=SMTP)


def test_only_captured_mails_can_be_read(tmp_path: Path) -> None:
    captured = CapturedMail(settings_with(tmp_path))
    captured.send(a_mail())
    (tmp_path / "secret.eml").write_bytes(b"Subject: keys\n\n")
    for name in ("../secret", "secret", "", ".", "*", str(tmp_path / "secret")):
        with pytest.raises(KeyError):
            captured.read(name)


def test_a_full_disk_is_a_reason_to_try_again(tmp_path: Path) -> None:
    captured = CapturedMail(settings_with(tmp_path))
    captured.folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(MailUnavailable):
        captured.send(a_mail())
