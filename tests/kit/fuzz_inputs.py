"""Hostile bytes for a relay, drawn by hypothesis: heads of HTTP, and frames of WebSockets.

Where the generator knows what has to come of an input, the input says so; the test holds the relay
to it.
"""

import re
import struct

import attrs
from hypothesis import strategies as st

from imgsync.core.codec.codec import MAX_FRAME
from tests.net.test_frames import BINARY, CLOSE, FIN, PING, PONG, TEXT, frame, upgrade_head

_RUN = re.compile(r"(.{1,8}?)\1{20,}", re.DOTALL)


def brief(value: bytes | str) -> str:
    """An expression for it that is short where it is long because something stands there often."""
    text = value if isinstance(value, str) else value.decode("latin-1")
    parts, at = [], 0
    for run in _RUN.finditer(text):
        unit = run[1]
        parts += [(text[at : run.start()], 1), (unit, len(run[0]) // len(unit))]
        at = run.end()
    parts.append((text[at:], 1))
    found = [(part if isinstance(value, str) else part.encode("latin-1"), n) for part, n in parts]
    shown = [f"{one!r} * {times}" if times > 1 else repr(one) for one, times in found if one]
    return " + ".join(shown) or repr(value)


@st.composite
def edited(draw: st.DrawFn, original: bytes, pieces: st.SearchStrategy[bytes]) -> bytes:
    """A few bytes of it removed, doubled or replaced."""
    text = original
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 3))
        put = draw(st.one_of(pieces, st.just(text[at : at + size] * 2)))
        text = text[:at] + put + text[at + size :]
    return text


# ── heads ────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Head:
    """What is sent on a connection that speaks HTTP, and whether we reset it instead of ending it.

    Where something is sent, finished or not, something is answered.
    """

    sent: bytes = attrs.field(repr=brief)
    resets: bool


METHODS = st.sampled_from([*b"GET HEAD POST PUT OPTIONS CONNECT PRI get G\xc3\x8bT".split(), b""])
TARGETS = st.sampled_from(
    [
        *b"/ws /ws?token=a /health / * //ws /ws/ /WS /ws#a /%00 /%ff /% /metrics a:443".split(),
        *b"/../../etc/passwd http://127.0.0.1/ws /\xff /\0 /ws\x7f".split(),
        *(b"", b"/a b", b"/" + b"a" * 15_000, b"/" + b"a" * 20_000),
    ]
)
VERSIONS = st.sampled_from(
    [
        *b"HTTP/1.1 HTTP/1.0 HTTP/0.9 HTTP/2.0 HTTP/1.11 HTTP/9999999999.1 http/1.1 HTTP".split(),
        *(b"", b"HTTP/1.1 x"),
    ]
)
UPGRADE = upgrade_head().split(b"\r\n")[1:-2]
STRANGE_VALUES = {
    b"Content-Length": [b"9" * 20, b"9" * 21, b"9" * 5000, *b"9 -1 +1 0x5 5,5 5,6 0".split(), b""],
    b"Transfer-Encoding": [b"chunked", b"gzip, chunked", b"identity"],
    b"Connection": [b"close", b"keep-alive", b"Upgrade, close", b"\xff"],
    b"Upgrade": [b"h2c", b"WebSocket", b"websocket, h2c", b"\xc5\xbf"],
    b"Host": [b"b", b"", b"xn--\xff", b"xn--zzzzzzzz99999", b"[::1]:99999"],
    b"Origin": [b"null", b"http://[", b"http://127.0.0.1", b"http://a:b"],
    b"X-Forwarded-For": [b"", b"1.2.3.4, x", b"[::1]:x", b"," * 5000],
    b"Sec-WebSocket-Key": [b"", b"AAAA", b"=" * 24, b"\xff", b"A" * 9000],
    b"Sec-WebSocket-Version": [b"8", b"013", b"9" * 5000, b"", b"13, 8"],
    b"Sec-WebSocket-Protocol": [b"caf\xc3\xa9", b"\xff", b"a, b", b","],
    b"Sec-WebSocket-Extensions": [b"permessage-deflate; client_max_window_bits=999", b"\xff"],
    b"Expect": [b"100-continue", b"the worst"],
    b"X": [b"\0", b"\x1b[2J", b"\xe2\x80\xae", b"a" * 9000, b"a" * 40_000, b"a\r"],
}
STRANGE_LINES = [
    *(name + b": " + value for name, values in STRANGE_VALUES.items() for value in values),
    *(b" folded", b"\tfolded: too", b": no name", b"no colon", b"X Y: z", b"X : y", b"X\0: y"),
    *(b"\r", b"X: a\r\n" * 300, b"X: a\r\n" * 5000),
]
LINES = st.sampled_from(UPGRADE) | st.sampled_from(STRANGE_LINES) | st.binary(max_size=12)
BODIES = st.sampled_from(
    [
        *(b"", b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"f" * 20 + b"\r\n"),
        *(b"\x16\x03\x01", bytes(70_000), b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
        *(frame(TEXT, b"{}"), frame(CLOSE)),
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Of an upgrade or not, with some strange lines among the usual ones."""
    lines = list(UPGRADE) if draw(st.booleans()) else [UPGRADE[0]]
    for _ in range(draw(st.integers(0, 3))):
        lines.insert(draw(st.integers(0, len(lines))), draw(LINES))
    for _ in range(draw(st.integers(0, 1))):
        del lines[draw(st.integers(0, len(lines) - 1))]
    first = b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)])
    sane = b"GET " + draw(TARGETS) + b" HTTP/1.1"
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]))
    return end.join([draw(st.sampled_from([first, sane])), *lines, b"", b""]) + draw(BODIES)


@st.composite
def partial(draw: st.DrawFn) -> bytes:
    """A head that ends too early."""
    whole = draw(st.just(upgrade_head()) | requests())
    return whole[: draw(st.integers(0, len(whole)))]


HEADS = st.builds(
    Head,
    sent=st.one_of(
        requests(),
        requests(),
        edited(upgrade_head(), st.binary(max_size=3)),
        partial(),
        st.lists(requests() | st.binary(max_size=30), min_size=2, max_size=4).map(b"".join),
        st.binary(min_size=1, max_size=300),
    ),
    resets=st.sampled_from([False, False, False, False, True]),
)


# ── frames ───────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Frames:
    """What is sent on a WebSocket, and what has to come of it.

    :param pings: whose pongs have to come; None where that is not known.
    :param ends: whether the relay has to end the connection by itself.
    :param resets: whether we reset it instead of ending it.
    """

    sent: bytes = attrs.field(repr=brief)
    pings: tuple[bytes, ...] | None
    ends: bool
    resets: bool = False


PART = 0
RSV = (0x40, 0x20, 0x10, 0x70)
PAYLOADS = st.sampled_from(
    [b"", b"{}", b'{"event":1}', b"\xc3\xa9", b"x" * 125, b"x" * 126, b"[" * 60_000]
)
CONTROLS = st.sampled_from([PING, PONG])
MASKS = st.binary(min_size=4, max_size=4)


@st.composite
def legal_frames(draw: st.DrawFn) -> tuple[bytes, tuple[bytes, ...]]:
    """A message, in parts or not, with pings and pongs between them; and the pings."""
    # Each once at most: together they stay under the limit.
    parts = draw(st.lists(PAYLOADS, min_size=1, max_size=4, unique=True))
    sent, pings = b"", []
    for at, payload in enumerate(parts):
        opcode = 0 if at else draw(st.sampled_from([TEXT, BINARY]))
        first = FIN if at == len(parts) - 1 else PART
        sent += frame(opcode, payload, first=first, mask=draw(MASKS))
        if draw(st.booleans()):
            payload = draw(st.binary(max_size=8))
            control = draw(CONTROLS)
            sent += frame(control, payload, mask=draw(MASKS))
            pings += [payload] if control == PING else []
    return sent, tuple(pings)


def long_length(size: int) -> bytes:
    return struct.pack("!BBQ", FIN | TEXT, 0x80 | 127, size) + b"mask"


ALIEN_OPCODES = st.sampled_from([0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF])
NO_TEXT = st.sampled_from(
    [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x80", b"{}\xf5\x80\x80\x80"]
)
CODES = st.integers(0, 999) | st.sampled_from([1000, 1001, 1004, 1005, 1006, 1015, 1016, 2999])
MORE_CODES = st.sampled_from([3000, 4001, 4999, 5000, 65535])

VIOLATIONS = st.one_of(
    st.builds(frame, ALIEN_OPCODES, PAYLOADS, mask=MASKS),
    st.builds(frame, st.sampled_from([TEXT, BINARY, PING]), st.just(b"hi"), mask=st.none()),
    st.builds(
        lambda opcode, bits: frame(opcode, b"hi", first=FIN | bits),
        st.sampled_from([TEXT, BINARY, PING, PONG, CLOSE]),
        st.sampled_from(RSV),
    ),
    st.builds(frame, CONTROLS, st.binary(min_size=126, max_size=140)),
    st.builds(frame, CONTROLS, st.binary(max_size=5), first=st.just(PART)),
    st.builds(lambda size: long_length(size) + bytes(8), st.sampled_from([2**63, 2**64 - 1])),
    st.builds(lambda size: long_length(size) + bytes(size), st.integers(0, 125)),
    st.binary(max_size=3).map(lambda rest: bytes([FIN | TEXT, 0x80 | 126, 0, 5]) + b"mask" + rest),
    st.builds(lambda payload: frame(0, payload), PAYLOADS),
    st.just(frame(TEXT, b"x", first=PART) + frame(TEXT, b"y")),
    st.just(frame(BINARY, b"x", first=PART) + frame(TEXT, b"y", first=PART)),
    NO_TEXT.map(lambda payload: frame(TEXT, payload)),
    NO_TEXT.map(lambda payload: frame(TEXT, b"", first=PART) + frame(0, payload)),
    st.just(frame(TEXT, b"x" * (MAX_FRAME + 1))),
    st.just(frame(BINARY, b"x" * MAX_FRAME, first=PART) + frame(0, b"xy")),
    # No violations, some of them, but the end as well.
    st.binary(min_size=1, max_size=1).map(lambda byte: frame(CLOSE, byte)),
    st.builds(
        lambda code, reason: frame(CLOSE, code.to_bytes(2) + reason),
        CODES | MORE_CODES,
        st.just(b"") | NO_TEXT,
    ),
    st.just(frame(CLOSE)),
)


@st.composite
def violating(draw: st.DrawFn) -> Frames:
    """Something legal, a violation, and anything."""
    legal, pings = draw(legal_frames() | st.just((b"", ())))
    rest = draw(st.binary(max_size=40) | legal_frames().map(lambda found: found[0]))
    return Frames(legal + draw(VIOLATIONS) + rest, pings, ends=True)


@st.composite
def unfinished(draw: st.DrawFn) -> Frames:
    """Something legal, and a frame that is cut off, or a message whose end never comes."""
    legal, pings = draw(legal_frames())
    whole = draw(legal_frames())[0]
    cut = whole[: draw(st.integers(0, min(len(whole) - 1, 200)))]
    rest = draw(st.sampled_from([cut, frame(TEXT, b"x", first=PART), long_length(2**63 - 1)]))
    # Of what is cut off, some frames may be whole.
    whole_pings = None if rest == cut else pings
    return Frames(legal + rest, whole_pings, ends=False, resets=draw(st.booleans()))


@st.composite
def any_frames(draw: st.DrawFn) -> Frames:
    """Frames that are legal or not, as it comes, or no frames at all."""
    one = st.builds(
        lambda opcode, payload, first, mask: frame(opcode, payload, first=first, mask=mask),
        st.integers(0, 15),
        PAYLOADS | st.binary(max_size=130),
        st.sampled_from([FIN, FIN, PART, FIN | 0x40]),
        MASKS,
    )
    several = st.lists(one, min_size=1, max_size=6).map(b"".join)
    sent = draw(several | several.flatmap(lambda found: edited(found[:400], st.binary(max_size=3))))
    return Frames(sent, None, ends=False, resets=draw(st.sampled_from([False, False, True])))


FRAMES = violating() | violating() | unfinished() | any_frames()
