"""How a message leaves the house. A channel returns when the message is handed over, or raises one of these two."""

from dataclasses import dataclass, field


class Temporary(Exception):
    """Not now: the peer is away or busy. The message stays in the outbox and is tried again."""


class Permanent(Exception):
    """Never: trying the same again will not help. The message waits for the office."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file that goes with an e-mail."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as the receiver will see it. `message_id` stays the same when it is sent again after a crash."""

    to: str
    message_id: str
    subject: str
    text: str
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
