"""Who is at the keyboard in this request, for the audit log."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
