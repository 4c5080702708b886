"""Hostile events for a relay, drawn by hypothesis: texts, and orders of sound events.

Nothing here registers as the users of the healthy session, which anybody could do where the relay
asks for no token; everything else that is aimed at them is fair.
"""

from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from imgsync.core.codec.codec import MAX_FRAME
from tests.kit.fuzz_inputs import brief
from tests.kit.wire_texts import RAW_JSON

HEALTHY_CLIENT = "healthy-client"
HEALTHY_EVALUATOR = "healthy-evaluator"


# ── texts ────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Text:
    """A text frame, which gets one answer, whoever sends it."""

    sent: str = attrs.field(repr=brief)


@attrs.frozen
class Opaque:
    """A `signal` that is JSON, which is passed on to the letter."""

    signal: str = attrs.field(repr=brief)


def words(text: str) -> list[str]:
    return text.split()


def nested(depth: int, inner: str = "") -> str:
    return "[" * depth + inner + "]" * depth


SOUND_VALUES = [
    *words("null true 0 -0 1e5 -1e-400 {} []"),
    *words(r'''"" "\ud800" "\udfff\ud800" "\u0000" "\u001b[2J" "a\nb" "\u202e" "\/" "__proto__"'''),
    *('"\u2028"', '"\U0001f600"', '"\u0301"', '"\x7f"', '"constructor"'),
    *('{"__proto__":{"a":1}}', '{"a":1,"a":2}', '{"":{"":{}}}'),
    *("9" * 300, "1." + "0" * 300, nested(100), nested(500, "1")),
    *(f'"{"x" * size}"' for size in (128, 129, 1000, 60_000)),
]
UNSOUND_VALUES = [
    *words("NaN Infinity -Infinity 1e999 -1e999 1e5000000000 01 1. .5 0x1 - tru undefined /**/1"),
    *words(r""""\x" "\u12" " { [ {] , {"a"} {"a":} [1,] {"a":1,} 'a' """),
    *("", '"\n"', '"\0"', "9" * 5000, "9" * 60_000),
    *(nested(30_000), "[" * 60_000, '{"a":' * 10_000 + "1" + "}" * 10_000),
]
# From Python 3.15 on, the parser goes as deep as the stack lets it, which keeps what it took.
DEEPEST = [Text("[" * 60_000)]
VALUES = RAW_JSON | st.sampled_from(SOUND_VALUES) | st.sampled_from(UNSOUND_VALUES)

EVENTS = {
    # Nobody who registers here is a client: whom a session starts with is always somebody else.
    "register": {
        "userId": '"stranger"',
        "role": '"evaluator"',
        "package": '"webrtc"',
        "state": '"waiting"',
    },
    "enter": {},
    "start_session": {"clientId": '"nobody"', "sessionId": '"no session"', "ref": '"r"'},
    "webrtc_signal": {
        "targetUserId": '"nobody"',
        "signal": "{}",
        "sessionId": '"no session"',
        "ref": '"r"',
    },
    "end_session": {"sessionId": '"no session"'},
    "presence": {"userId": '"nobody"', "state": '"offline"'},
}
OTHER_KEYS = [
    *words(r'''"__proto__" "constructor" "name" "token" "" "fromUserId" "event" "data" "USERID"'''),
    *words(r'''"userId\u0000" "\ud800" "class" "user_id" "socket" "EVENT"'''),
    f'"{"k" * 30_000}"',
]
NAMES = st.sampled_from(
    [
        *words(r'''"Register" "__proto__" "__init__" "" "\u0000" "registered" "error" "ping"'''),
        *words(r'''"close" "\ud800" "null"'''),
        *('"register "', f'"{"e" * 60_000}"', '"\u202e"'),
    ]
)


@st.composite
def event_texts(draw: st.DrawFn) -> str:
    """An event whose fields are gone, strange, twice there or in good order."""
    name = draw(st.sampled_from(sorted(EVENTS)))
    members = [(f'"{key}"', value) for key, value in EVENTS[name].items()]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(members)))
        key = draw(st.sampled_from([*(f'"{key}"' for key in EVENTS[name]), *OTHER_KEYS]))
        # In place of what was there, or beside it.
        members[at : at + draw(st.integers(0, 1))] = [(key, draw(VALUES))]
    content = ",".join(f"{key}:{value}" for key, value in members)
    content = draw(st.one_of(st.just(f"{{{content}}}"), st.just(f"{{{content}}}"), VALUES))
    named = draw(st.one_of(st.just(f'"{name}"'), st.just(f'"{name}"'), NAMES, VALUES))
    parts = [f'"event":{named}', f'"data":{content}']
    parts = draw(st.sampled_from([parts, parts, parts[::-1], parts * 2, [*parts, '"event":1']]))
    return f"{{{','.join(parts)}}}"


@st.composite
def damaged_events(draw: st.DrawFn) -> str:
    """An event with a few characters changed."""
    text = draw(event_texts())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.text('{}[]",:\\0159.eE-+ntfu \u2028\x00é\ufeff', max_size=2))
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


TEXTS = st.one_of(
    event_texts().filter(lambda text: len(text) <= MAX_FRAME).map(Text),
    event_texts().filter(lambda text: len(text) <= MAX_FRAME).map(Text),
    damaged_events().filter(lambda text: len(text) <= MAX_FRAME).map(Text),
    (VALUES | st.text() | st.sampled_from(["\ufeff{}", "{}{}", " " * 60_000, "\0"])).map(Text),
    (RAW_JSON | st.sampled_from(SOUND_VALUES)).map(Opaque),
)


# ── orders ───────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Step:
    """What one of a few sockets does.

    :param what: an event's name; or how the socket goes, the next step being that of a new one.
    :param whom: the user that it registers as, or that it is about.
    :param session: None to name none, `known` for the one that was told of last, or made up.
    :param ref: of a start, its name; of a signal, that of the start which it follows.
    :param door: on which side of it whoever registers says to be.
    :param is_early: whether whoever registers takes offers right behind a start.
    """

    socket: int
    what: str
    whom: str = ""
    role: str = ""
    session: str | None = None
    ref: str | None = None
    is_early: bool = True
    door: str | None = None


Order = tuple[Step, ...]

GOING = ("reset", "close", "end", "half a frame")
USERS = ("ann", "bob", "cat")
SESSIONS = st.sampled_from([None, None, "known", "made up", "", "x" * 128, "x" * 129])
REFS = st.sampled_from([None, None, None, "r1", "r1", "r2", "", "x" * 64, "x" * 65])

REGISTER_E = Step(0, "register", "ann", "evaluator")
REGISTER_C = Step(1, "register", "bob", "client")
AGAIN_C = Step(2, "register", "bob", "client")
START = Step(0, "start_session", "bob")
OFFER = Step(0, "webrtc_signal", "bob")
ANSWER = Step(1, "webrtc_signal", "ann", session="known")
WAITING_C = attrs.evolve(REGISTER_C, door="waiting")
ENTER, ENTER_AGAIN = Step(1, "enter"), Step(2, "enter")
END = Step(0, "end_session", session="known")
EARLY_START = attrs.evolve(START, ref="r1")
EARLY_OFFER = attrs.evolve(OFFER, ref="r1")

WELL_ORDERED: Sequence[Order] = (
    (REGISTER_E, REGISTER_C, START, OFFER, ANSWER, END),
    (REGISTER_C, AGAIN_C, REGISTER_E, START, OFFER, ANSWER, attrs.evolve(ANSWER, socket=2), END),
    (REGISTER_E, REGISTER_C, START, Step(0, "reset"), OFFER, REGISTER_E, OFFER, END),
    (REGISTER_E, REGISTER_C, START, ANSWER, Step(1, "half a frame"), REGISTER_C, ANSWER, END),
    (REGISTER_E, REGISTER_C, attrs.evolve(START, session="made up"), START, OFFER, ANSWER, OFFER),
    (REGISTER_C, REGISTER_E, START, OFFER, REGISTER_E, attrs.evolve(START, session="known"), OFFER),
    (REGISTER_C, *(attrs.evolve(REGISTER_C, socket=at) for at in range(2, 11)), REGISTER_E, START),
    (REGISTER_E, REGISTER_C, EARLY_START, EARLY_OFFER, EARLY_OFFER, ANSWER, OFFER, END),
    (REGISTER_C, REGISTER_E, EARLY_START, EARLY_OFFER, START, EARLY_OFFER, OFFER, ANSWER, END),
    (WAITING_C, REGISTER_E, START, ENTER, START, OFFER, ANSWER, AGAIN_C, ENTER_AGAIN, END),
)

STEPS = st.one_of(
    st.builds(
        Step,
        st.integers(0, 3),
        st.sampled_from(["register", "enter", "start_session", "webrtc_signal", "end_session"]),
        st.sampled_from([*USERS, *USERS, HEALTHY_CLIENT, HEALTHY_EVALUATOR]),
        st.sampled_from(["evaluator", "client"]),
        SESSIONS,
        REFS,
        st.sampled_from([True, True, False]),
        st.sampled_from([None, None, "waiting", "entered"]),
    ),
    st.builds(Step, st.integers(0, 3), st.sampled_from(GOING)),
).map(
    lambda step: (
        attrs.evolve(step, whom="cat")
        if step.what == "register" and step.whom not in USERS
        else step
    )
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """A good order in which something is out of place; or any."""
    if draw(st.integers(0, 3)) == 0:
        return tuple(draw(st.lists(STEPS, min_size=2, max_size=10)))
    steps = list(draw(st.sampled_from(WELL_ORDERED)))
    for _ in range(draw(st.integers(1, 4))):
        at, other = draw(st.integers(0, len(steps) - 1)), draw(st.integers(0, len(steps) - 1))
        match draw(st.sampled_from(["swap", "again", "new", "new"])):
            case "swap":
                steps[at], steps[other] = steps[other], steps[at]
            case "again":
                steps.insert(at, steps[other])
            case _:
                steps.insert(at, draw(STEPS))
    return tuple(steps)


ORDERS = orders()
