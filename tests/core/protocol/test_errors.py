"""The tree of errors as it is drawn, and what their texts say."""

import inspect
import re
from inspect import cleandoc

import pytest

from imgsync.core.protocol import errors
from imgsync.core.protocol.errors import (
    ImgsyncError,
    MissingExtra,
    RelayError,
    SessionEnded,
    SocketClosed,
    WireError,
)
from imgsync.core.protocol.signalling import EndReason, ErrorCode

CLASSES = dict(
    inspect.getmembers(
        errors, lambda member: inspect.isclass(member) and member.__module__ == errors.__name__
    )
)


def drawn_tree() -> dict[str, str]:
    """Parent of each class in the picture at the head of the module."""
    above: list[tuple[int, str]] = []
    parents = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│ ]*(?:[├└]── )?)([A-Z]\w+)", line)
        if match:
            depth = len(match[1])
            above = [entry for entry in above if entry[0] < depth]
            parents[match[2]] = above[-1][1] if above else "Exception"
            above.append((depth, match[2]))
    return parents


def test_the_tree_is_as_it_is_drawn() -> None:
    assert {name: cls.__bases__[0].__name__ for name, cls in CLASSES.items()} == drawn_tree()


@pytest.mark.parametrize("cls", CLASSES.values())
def test_every_error_is_ours_and_says_when_it_is_raised(cls: type[Exception]) -> None:
    assert issubclass(cls, ImgsyncError)
    assert cleandoc(cls.__doc__ or "").endswith(".")


@pytest.mark.parametrize("reason", EndReason)
def test_the_end_of_a_session_is_told_in_words(reason: EndReason) -> None:
    assert str(SessionEnded(reason)) == f"the session has ended: {reason.sentence}"
    assert len(reason.sentence) > 10
    assert "_" not in reason.sentence
    ended = SessionEnded(reason, "its port is 0")
    assert str(ended) == f"the session has ended: {reason.sentence} (its port is 0)"
    assert (ended.reason, ended.detail) == (reason, "its port is 0")


def test_errors_carry_what_a_program_needs() -> None:
    wire = WireError(ErrorCode.BAD_MESSAGE, "data: missing", "register")
    assert (wire.code, wire.problem, wire.event) == (
        ErrorCode.BAD_MESSAGE,
        "data: missing",
        "register",
    )
    relay = RelayError(ErrorCode.CLIENT_BUSY, "Try again later.")
    assert (relay.code, str(relay)) == (ErrorCode.CLIENT_BUSY, "Try again later.")
    closed = SocketClosed(1006)
    assert (closed.code, closed.reason) == (1006, "")
    assert str(closed) == "the connection was closed (1006)"
    assert str(SocketClosed(4013, "slow")) == "the connection was closed (4013: slow)"


def test_a_missing_extra_says_how_to_get_it() -> None:
    def message(*requirements: str) -> str:
        return str(MissingExtra("Images can't be fetched", "cli", requirements))

    assert message("httpx>=0.27", "rich") == (
        "Images can't be fetched; install it with: pip install 'httpx>=0.27' rich"
    )
    assert message() == "Images can't be fetched; install what pyproject.toml lists as 'cli'"
