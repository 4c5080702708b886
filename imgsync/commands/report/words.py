"""Codes of records in words, for those who read a report and did not write the program."""

import re

from imgsync.commands.report.rows import Outcome
from imgsync.commands.report.table import as_text
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.numbers import (
    CROWDED_OUT,
    DECODE,
    HIDDEN_TAB,
    NOT_AN_IMAGE,
    OF_TYPE,
    SUPERSEDED,
    TRUNCATED,
)
from imgsync.core.protocol.states import SessionState

MAX_SAID = 200
"""Characters of what a manifest says of an image."""

STATE_WORDS = {
    SessionState.CONNECTING: "connecting",
    SessionState.CONNECTED: "connected",
    SessionState.RESUMED: "connected again",
    SessionState.SUSPECT: "no answer for some seconds",
    SessionState.INTERRUPTED: "interrupted",
    SessionState.ENDED: "ended",
}

OUTCOME_WORDS = {
    Outcome.SHOWN: "shown",
    Outcome.FAILED: "failed",
    Outcome.SUPERSEDED: "replaced",
    Outcome.ACKED: "arrived",
    Outcome.NOT_ACKED: "no answer",
}

_FAILURES = {
    "timeout": "it took too long to fetch",
    "unreachable": "its host could not be reached",
    DECODE: "it is damaged, or of a kind that can't be shown",
    TRUNCATED: "only a part of it was there",
    "bad_url": "its URL can't be fetched",
    "too_large": "it is too large",
    "not_saved": "it could not be saved",
    CROWDED_OUT: "too many others were still to be fetched",
    "exec": "the client's program could not be started",
    "fetch": "it could not be fetched",
    NOT_AN_IMAGE: "what came is no image",
    SUPERSEDED: "another image was shown in its place",
    HIDDEN_TAB: "nobody looked at the page",
}

_STATUSES = {
    401: "its host asked for a login",
    403: "its host refused it: the URL has expired, or was never signed",
    404: "its host does not have it",
    410: "its host does not have it any more",
}

_CANDIDATES = {
    "host": "direct",
    "srflx": "through a NAT",
    "prflx": "through a NAT",
    "relay": "through a TURN server",
}

_RECORDING = {
    "unknown_request": "the client's link asks for something that can't be recorded",
    "not_secure": "the client's page has no address that begins with https",
    "cant_record": "the client's browser can't record",
    "not_kept": "the client's browser keeps no recordings",
    "refused": "the participant does not want it",
    "storage_full": "the client's device has no room left",
    "storage_lost": "the client's browser can't reach its storage",
    "recording_lost": "a recording could not be kept",
    "upload_unreadable": "the server for recordings does not let the page read its answers",
    "upload_not_https": "the address for recordings begins with http, the page with https",
    "upload_redirect": "the address for recordings leads to another one",
    "upload_damaged": "the client's browser has lost a part of a recording",
}

_DEVICE = {
    "ended": "has gone or was switched off",
    "muted": "is muted by its device",
    "missing": "was not found",
    "in_use": "can't be used; perhaps another program does",
    "denied": "may not be used by the page: the participant or the browser forbids it",
    "policy": "may not be used by the page: the website forbids it",
    "system": "may not be used by the browser: the settings of the device forbid it",
}


_SCREENS = {
    "refresh_unknown": "how often the screen is drawn a second is not known",
    "refresh_low": "the screen is drawn less than 50 times a second, as with a battery saver",
    "refresh_not_60": "the screen is not drawn 60 times a second",
    "zoomed": "the page was zoomed",
    "not_isolated": "the page was not isolated, so that its clock is coarse",
    "no_keyboard": "keys were asked for, and no keyboard is known of",
}


def describe_screen_trouble(word: str) -> str:
    """What of a screen may be in the way, with its word in the table."""
    return f"{_SCREENS[word]} ({word})" if word in _SCREENS else word


def describe_trouble(trouble: str) -> str:
    """What is the matter with a recording of the participant, with the word of the record."""
    device, _, state = trouble.partition("_")
    words = _RECORDING.get(trouble)
    if device in ("camera", "microphone") and state in _DEVICE:
        words = f"the {device} {_DEVICE[state]}"
    status = re.fullmatch(r"upload_http_([0-9]+)", trouble)
    if status is not None:
        words = f"the server for recordings refuses them with HTTP {status[1]}"
    return trouble if words is None else f"{words} ({trouble})"


def describe_failure(reason: str | None, detail: str | None = None) -> str:
    """Why an image was not shown, with the word of the record for who looks for it.

    :param detail: what else the client has said.
    """
    words = _name_failure(reason)
    return f"{words}: {detail}" if detail else words


def _name_failure(reason: str | None) -> str:
    if reason is None:
        return "it failed"
    status = re.fullmatch(r"http_(\d{3})", reason)
    words = _FAILURES.get(reason)
    if reason.startswith(OF_TYPE):
        words = f"it is {reason.removeprefix(OF_TYPE)}, which browsers don't show"
    if status is not None:
        words = _STATUSES.get(int(status[1]), f"its host answered with error {status[1]}")
    return reason if words is None else f"{words} ({reason})"


def describe_outcome(outcome: Outcome, reason: str | None, detail: str | None = None) -> str:
    """Why an image was not shown; empty where it was, or nobody says that it was not."""
    match outcome:
        case Outcome.SHOWN | Outcome.ACKED:
            return ""
        case Outcome.FAILED:
            return describe_failure(reason, detail)
        case Outcome.SUPERSEDED:
            return describe_failure(SUPERSEDED)
        case Outcome.NOT_ACKED:
            return "the client never said that it came (not acked)"


def describe_extra(extra: Extra) -> str:
    """What a manifest says of an image, on a line; the table has all of it."""
    said = "; ".join(f"{name}: {text}" for name, one in extra.items() if (text := as_text(one)))
    return said if len(said) <= MAX_SAID else said[:MAX_SAID] + "..."


def describe_path(path: str) -> str:
    """Of a pair of candidates such as "host-relay", the way that it is."""
    ways = dict.fromkeys(_CANDIDATES.get(kind, kind) for kind in path.split("-"))
    if len(ways) > 1:
        ways.pop("direct", None)
    return f"{' and '.join(ways)} ({path})"
