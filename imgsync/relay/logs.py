"""The relay's log: one record, one line on stderr, for people or for programs.

    log.info("registered", extra=about(user=user_id, role=role, socket=id))

    2026-01-31T09:30:00.125Z INFO registered user=patient-7 role=client socket=3
    {"time": "2026-01-31T09:30:00.125Z", "level": "INFO", ..., "user": "patient-7", ...}

What comes from outside can neither break a line nor pass for one, nor for a field. Nothing secret
is logged on purpose; what looks like a secret all the same is taken out of every part of a record.
"""

import enum
import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from imgsync.core.protocol.signalling import Role
from imgsync.lines import LineHandler

FIELDS = ("session", "user", "peer", "role", "socket", "remote", "code", "reason")

MAX_PART = 2000
"""Characters of a message or a field."""

MAX_EXCEPTION = 8000

REDACTED = "[redacted]"

_RUN = re.compile(r"[A-Za-z0-9_.-]+")
"""A JSON web token is three of base64url, with dots between."""
_SDP = re.compile(r"v=0(?:\s|\\[rn]).*", re.DOTALL)
_SECRETS = re.compile(
    r"""(ice-pwd: | (?:sig|signature|token|credential|secret) (?:= | ["']\s*:\s*["']))
        [^\s&"'\\]+""",
    re.IGNORECASE | re.VERBOSE,
)

_LIKE_A_FIELD = re.compile(rf"(?:{'|'.join(FIELDS)})=")
_PLAIN = re.compile(r"[^\s\"'=\\]+")


def about(
    *,
    session: str | None = None,
    user: str | None = None,
    peer: str | None = None,
    role: Role | None = None,
    socket: int | None = None,
    remote: str | None = None,
    code: enum.Enum | int | None = None,
    reason: enum.Enum | str | None = None,
) -> dict[str, Any]:
    """What a record is about, as its `extra`; what is None is left out.

    :param peer: the other user, where there are two.
    """
    values = zip(FIELDS, (session, user, peer, role, socket, remote, code, reason), strict=True)
    return {
        name: value.value if isinstance(value, enum.Enum) else value
        for name, value in values
        if value is not None
    }


def set_up_relay_logging(format: Literal["text", "json"], level: int) -> None:
    """Send all logs to stderr; those of the libraries only where something is wrong.

    Nothing waits for whoever reads them: see `imgsync.lines`.

    :param level: for our own.
    """
    handler = LineHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("imgsync").setLevel(level)
    # It warns of what a peer may well send.
    logging.getLogger("trio-websocket").setLevel(logging.ERROR)
    # It shows all of what went wrong at each attempt; what is raised says it in a sentence.
    logging.getLogger("coredis").setLevel(logging.CRITICAL)


def redact(text: str) -> str:
    """A text without what looks like a token, a session description or a signature."""
    text = _RUN.sub(_without_token, text)
    text = _SDP.sub(f"{REDACTED} SDP", text)
    return _SECRETS.sub(rf"\1{REDACTED}", text)


def _without_token(match: re.Match[str]) -> str:
    run = match[0]
    start = run.find("eyJ")  # '{"' in base64
    return run if start < 0 or run.count(".", start) < 2 else run[:start] + REDACTED


class _Formatter(logging.Formatter):
    """Takes a record apart; every text that comes out of here is short and redacted."""

    def _time_of(self, record: logging.LogRecord) -> str:
        """RFC 3339, to the millisecond."""
        time = datetime.fromtimestamp(record.created, UTC)
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _message_of(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except Exception:  # the library would print the arguments, and as they are
            text = f"{record.msg} {record.args}"
        return _cut(redact(text))

    def _fields_of(self, record: logging.LogRecord) -> dict[str, str | int]:
        fields: dict[str, str | int] = {}
        for name in FIELDS:
            value = getattr(record, name, None)
            if isinstance(value, int):
                fields[name] = value
            elif value is not None:
                fields[name] = _cut(redact(str(value)))
        return fields

    def _exception_of(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and record.exc_info[0] is not None:
            text = self.formatException(record.exc_info)
        elif record.stack_info:
            text = record.stack_info
        else:
            return None
        text = redact(text)
        # Its end says what happened.
        return text if len(text) <= MAX_EXCEPTION else f"...{text[-MAX_EXCEPTION:]}"


class JsonFormatter(_Formatter):
    """One object per line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, str | int] = {
            "time": self._time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message_of(record),
            **self._fields_of(record),
        }
        if (exception := self._exception_of(record)) is not None:
            line["exception"] = exception
        return json.dumps(line)


class TextFormatter(_Formatter):
    """One line, and an indented one for each of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        message = self._message_of(record)
        if _LIKE_A_FIELD.search(message):
            message = _quote(message)
        fields = (f"{name}={_show(value)}" for name, value in self._fields_of(record).items())
        line = " ".join([self._time_of(record), record.levelname, _printable(message), *fields])
        exception = self._exception_of(record) or ""
        lines = [line, *(_printable(one) for one in exception.splitlines())]
        return "\n    ".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_PART else f"{text[:MAX_PART]}..."


def _show(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return _printable(value if _PLAIN.fullmatch(value) else _quote(value))


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _printable(text: str) -> str:
    """Escaped: line breaks, terminal sequences, marks that turn a line round."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
