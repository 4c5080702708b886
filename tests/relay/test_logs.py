"""The relay's log: one record, one line, whatever comes from outside; and never a secret."""

import base64
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.protocol.signalling import CloseCode, EndReason, ErrorCode, Role
from imgsync.relay.logs import (
    FIELDS,
    MAX_EXCEPTION,
    MAX_PART,
    REDACTED,
    JsonFormatter,
    TextFormatter,
    about,
    redact,
)

FORMATTERS = [TextFormatter(), JsonFormatter()]

both = pytest.mark.parametrize("formatter", FORMATTERS, ids=["text", "json"])

FORGED = "bye\r\n2026-01-01T00:00:00.000Z INFO registered user=admin"

TOKEN = jwt.encode({"sub": "patient-7", "role": "client"}, "k" * 32, "HS256")

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:f8Xa\r\n"
    "a=ice-pwd:k3Yq0/+Zs8dJ2mW1xTn5vB7c\r\na=fingerprint:sha-256 AB:CD\r\n"
)


def record(
    text: str, *args: object, extra: dict[str, Any] | None = None, exc: Exception | None = None
) -> logging.LogRecord:
    log = logging.getLogger("imgsync.relay.server")
    exc_info = exc and (type(exc), exc, exc.__traceback__)
    return log.makeRecord(log.name, logging.INFO, "", 0, text, args, exc_info or None, extra=extra)


def as_json(one: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(one)
    assert line.isascii()
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def as_text(one: logging.LogRecord) -> str:
    """The lines without the time."""
    time, _, rest = TextFormatter().format(one).partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    return rest


# ── records ──────────────────────────────────────────────────────────────────────────────────────


def test_a_record_has_time_level_logger_message_and_what_it_is_about() -> None:
    one = record("registered", extra=about(user="c", role=Role.CLIENT, socket=3, remote="::1"))
    one.created = 1767225600.125
    found = as_json(one)
    assert found.pop("time") == "2026-01-01T00:00:00.125Z"
    assert found == {
        "level": "INFO",
        "logger": "imgsync.relay.server",
        "message": "registered",
        "user": "c",
        "role": "client",
        "socket": 3,
        "remote": "::1",
    }
    assert as_text(one) == "INFO registered user=c role=client socket=3 remote=::1"


def test_codes_and_reasons_are_written_as_on_the_wire() -> None:
    assert about(code=ErrorCode.NO_SESSION, reason=EndReason.PEER_GONE, session="s") == {
        "session": "s",
        "code": "no_session",
        "reason": "peer_gone",
    }
    assert about(code=CloseCode.TOO_SLOW) == {"code": 4013}
    assert about() == {}


def test_every_field_stands_under_its_own_name() -> None:
    for name in FIELDS:
        value: Any = 7 if name == "socket" else Role.CLIENT if name == "role" else "x"
        shown = {"socket": 7, "role": "client"}.get(name, "x")
        assert about(**{name: value}) == {name: shown}
        assert as_text(record("m", extra=about(**{name: value}))) == f"INFO m {name}={shown}"


def test_other_extras_are_left_out() -> None:
    one = record("x", extra={"token": "secret", "user": "c"})
    assert as_text(one) == "INFO x user=c"
    assert "secret" not in json.dumps(as_json(one))


def test_an_exception_is_a_field_or_indented_lines() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError as exc:
        one = record("failed", extra=about(session="s"), exc=exc)
    found = as_json(one)
    assert found["message"] == "failed"
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith(FORGED)
    first, *others = as_text(one).split("\n")
    assert first == "INFO failed session=s"
    assert len(others) > 3
    assert all(line.startswith("    ") for line in others)


def test_a_call_with_the_wrong_arguments_still_makes_a_record() -> None:
    assert as_text(record("%d images", "ten")) == "INFO %d images ('ten',)"


def test_what_is_long_is_cut_and_an_exception_keeps_its_end() -> None:
    assert len(as_json(record("x" * 100_000))["message"]) < MAX_PART + 10
    assert len(as_json(record("x", extra=about(user="u" * 100_000)))["user"]) < MAX_PART + 10
    one = record("x", exc=ValueError("y" * 100_000 + " the end"))
    assert len(as_json(one)["exception"]) < MAX_EXCEPTION + 10
    assert as_json(one)["exception"].endswith("the end")


# ── what comes from outside ──────────────────────────────────────────────────────────────────────


@both
@given(text=st.text(), user=st.text(), reason=st.text())
def test_no_text_breaks_a_line(
    formatter: logging.Formatter, text: str, user: str, reason: str
) -> None:
    one = record("closed: %s", text, extra=about(user=user, reason=reason))
    assert formatter.format(one).isprintable()


@pytest.mark.parametrize(
    "text", [FORGED, "a\x1b[2Jb", "a\x00b", "a\x85b\u2028c", "\u202etxet", "\ud800"]
)
def test_line_breaks_and_control_characters_are_escaped(text: str) -> None:
    one = record("closed: %s", text, extra=about(user=text))
    assert as_text(one).isprintable()
    assert as_json(one)["message"] == f"closed: {text}"
    assert as_json(one)["user"] == text


@pytest.mark.parametrize("text", ["x user=admin", "x socket=7", 'x" user=admin'])
def test_a_message_can_not_pass_for_a_field(text: str) -> None:
    shown = as_text(record("closed: %s", text, extra=about(user="c")))
    assert shown == f"INFO {json.dumps(f'closed: {text}')} user=c"


@pytest.mark.parametrize("user", ["", "c role=evaluator", 'a"b', "a\\b", "a=b"])
def test_a_field_can_not_pass_for_another(user: str) -> None:
    shown = as_text(record("x", extra=about(user=user, socket=1)))
    assert shown == f"INFO x user={json.dumps(user)} socket=1"


def test_a_field_that_is_plain_stands_as_it_is() -> None:
    shown = as_text(record("x", extra=about(user="Jürgen-7@example.org", remote="2001:db8::1")))
    assert shown == "INFO x user=Jürgen-7@example.org remote=2001:db8::1"


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────


SECRETS = {
    "token": TOKEN,
    "token in a header": f"Authorization: Bearer {TOKEN}",
    "token in a repr": repr({"token": f"\n{TOKEN}"}),
    "token glued": f"x{TOKEN}",
    "description": SDP,
    "description in JSON": json.dumps({"type": "offer", "sdp": SDP}),
    "description in a repr": repr(SDP),
    "description, a part": SDP[SDP.index("a=ice") :],
    "signature": "GET /images/a.png?expires=17&signature=k3Yq0_Zs8dJ2mW1xTn5vB7c&x=1",
    "short signature": "http://h/a.png?sig=k3Yq0_Zs8dJ2mW1xTn5vB7c",
    "signature of a cloud": "https://h/a?X-Amz-Signature=k3Yq0_Zs8dJ2mW1xTn5vB7c",
    "query token": "wss://h/ws?access_token=k3Yq0_Zs8dJ2mW1xTn5vB7c",
    "credential": '{"username": "17:c", "credential": "k3Yq0_Zs8dJ2mW1xTn5vB7c"}',
}

LEAKS = ("k3Yq0", "Zs8dJ2mW1xTn5vB7c", *TOKEN.split(".")[1:])


def say(secret: str) -> logging.LogRecord:
    return record(secret)


def say_as_argument(secret: str) -> logging.LogRecord:
    return record("said %r to %s", secret, secret)


def say_as_field(secret: str) -> logging.LogRecord:
    return record("x", extra=about(user=secret, reason=secret))


def say_as_exception(secret: str) -> logging.LogRecord:
    try:
        raise ValueError(secret)
    except ValueError as exc:
        return record("failed", exc=exc)


def say_wrongly(secret: str) -> logging.LogRecord:
    return record("%d", secret)


@both
@pytest.mark.parametrize("way", [say, say_as_argument, say_as_field, say_as_exception, say_wrongly])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_nothing_that_looks_like_a_secret_is_written(
    formatter: logging.Formatter, way: Callable[[str], logging.LogRecord], secret: str
) -> None:
    line = formatter.format(way(secret))
    assert REDACTED in line
    assert not [leak for leak in LEAKS if leak in line]


def test_a_cut_leaves_no_half_of_a_secret() -> None:
    for size in range(MAX_PART - 200, MAX_PART):
        assert "eyJ" not in as_json(record("." * size + " " + TOKEN))["message"]
    one = as_json(record("x", exc=ValueError(TOKEN + " " * (MAX_EXCEPTION - 60))))
    assert TOKEN.split(".")[2][-20:] not in one["exception"]


@pytest.mark.parametrize(
    "text",
    [
        "this relay asks for a token; send one with register",
        "the token is for another user or role; ask for one of your own",
        "listening on wss://relay.example.org:8765/ws",
        "socket 3: the connection was closed (1006)",
        "10.0.0.1 connects too often",
        "eyJ is how a token begins",
        "v=0.1 of the design=signal",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 300_000,
        "eyJ." * 200_000,
        "v=0" * 300_000,
        "token'" + " " * 500_000,
        "sig" * 300_000,
        "a" * 1_000_000,
        base64.b64encode(bytes(600_000)).decode(),
    ],
)
def test_a_long_text_costs_no_more_than_its_length(text: str) -> None:
    assert len(redact(text)) <= len(text) + 10


# ── set up ───────────────────────────────────────────────────────────────────────────────────────


PROGRAM = """
import logging, sys
from imgsync.relay.logs import about, set_up_relay_logging
logging.basicConfig()
set_up_relay_logging(sys.argv[1], logging.INFO)
log = logging.getLogger("imgsync.relay.server")
log.debug("not shown")
log.info("registered", extra=about(user="J\\u00fcrgen\\n", socket=3))
logging.getLogger("trio-websocket").warning("hostile")
logging.getLogger("asyncio").info("not shown")
logging.getLogger("trio.serve_listeners").error("shown")
"""


@pytest.mark.parametrize("format", ["text", "json"])
def test_records_go_to_stderr_once_and_libraries_are_quiet(format: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, format],
        capture_output=True,
        check=True,
        timeout=30,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert done.stdout == b""
    lines = done.stderr.decode("ascii" if format == "json" else "utf-8").splitlines()
    assert len(lines) == 2
    if format == "json":
        shown = [json.loads(line)["message"] for line in lines]
        assert shown == ["registered", "shown"]
        assert json.loads(lines[0])["user"] == "Jürgen\n"
    else:
        assert lines[0].endswith('INFO registered user="J\\xfcrgen\\n" socket=3') or lines[
            0
        ].endswith('INFO registered user="Jürgen\\n" socket=3')
        assert lines[1].endswith("ERROR shown")
