"""What the other side is told of an end: the relay passes it on, and people read it there.

A detail holds no address and no credential: a word that may be one is left out, whoever wrote it.
"""

import re

from imgsync.core.handshake.outputs import Ended
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import MAX_DETAIL, MAX_WORD
from imgsync.core.protocol.signalling import EndReason, EndSession, SessionId

_LEFT_OUT = "(...)"

_RELAY_LOST = "the relay was lost meanwhile"
"""Said to whoever asks when the relay is there again."""

_ADDRESS = re.compile(
    r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"  # IPv4
    r"|:[0-9a-f]*:"  # IPv6
    r"|[a-z0-9-]\.(?:[a-z0-9-]+\.)*[a-z]{2,}"  # a name of the DNS, .local among them
    r"|[^ -~]\.(?:[a-z0-9]|[^ -~])|[a-z0-9]\.[^ -~]"  # one in other letters
    r"|[a-z0-9]:[0-9]{2,5}(?![0-9])"  # a name of one label, with a port
    r"|(?:stuns?|turns?|https?|wss?|file|data):|://"
    r"|@",
    re.IGNORECASE | re.ASCII,
)


def last_words(session_id: SessionId, end: Ended, *, offers: bool) -> EndSession:
    """What the relay is told of an end that this side has come to.

    :param offers: whether it is the evaluator's side, which has a name for others.
    """
    reason, detail = end.reason, end.detail
    if reason is EndReason.SIGNALLING_LOST:
        reason, detail = EndReason.CONNECT_TIMEOUT, _RELAY_LOST
    ours, theirs = ("evaluator", "client") if offers else ("client", "evaluator")
    named = detail.replace("this side", f"the {ours}").replace("the other side", f"the {theirs}")
    told = plain(named)
    return EndSession(session_id, reason, told or None)


def plain(detail: str) -> str:
    """A detail without what is nobody's business, cut to what a message takes."""
    printable = "".join(char if char.isprintable() else " " for char in detail)
    words = (_LEFT_OUT if _is_secret(word) else word for word in printable.split(" ") if word)
    return cut(" ".join(words), MAX_DETAIL).rstrip(" ")


def _is_secret(word: str) -> bool:
    return len(word) > MAX_WORD or _ADDRESS.search(word) is not None
