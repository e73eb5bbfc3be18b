"""The captured mails, as a person reads them."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


class Mailbox:
    """Mails written since this mailbox was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = {path.name for path in self._files()}

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml")) if self.folder.exists() else []

    def all(self) -> list[EmailMessage]:
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in self._files()
            if path.name not in self._before
        ]

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.all() if str(mail["To"]).find(address) >= 0]

    def newest(self, address: str) -> EmailMessage:
        found = self.to(address)
        assert found, f"no mail to {address}; there are: {[(m['To'], m['Subject']) for m in self.all()]}"
        return found[-1]

    @staticmethod
    def text(mail: EmailMessage) -> str:
        part = mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @classmethod
    def token(cls, mail: EmailMessage) -> str:
        """The token in the mail's confirmation link."""
        found = re.search(r"[?&]token=([A-Za-z0-9_-]+)", cls.text(mail))
        assert found, cls.text(mail)
        return found[1]
