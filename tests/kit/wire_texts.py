"""What the tests of the codec share: texts, and JSON as somebody else would write it.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import json
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from imgsync.core.protocol.signalling import ErrorCode

LAW = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
BAD = ErrorCode.BAD_MESSAGE
Decode = Callable[[str], object]


def lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines()]


SPACE = st.sampled_from(["", "", "", " ", "\n", "\t \r\n"])
RAW_STRING = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from([r'"\/"', r'"A\u0042\ud83d\ude00\u0000\n"', '"signal"', '"data"', r'"\"}"']),
)
RAW_LEAF = RAW_STRING | st.sampled_from(
    ["0", "-0", "1.50", "1e5", "1E+05", "1.0", "12345678901234567890", "true", "false", "null"]
)


@st.composite
def raw_objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """Duplicate keys and odd spaces included."""
    members = draw(st.lists(st.tuples(RAW_STRING, values), max_size=4))
    space = draw(SPACE)
    text = f"{space},{space}".join(f"{key}{space}:{space}{value}" for key, value in members)
    return f"{{{space}{text}{space}}}"


@st.composite
def raw_arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    space = draw(SPACE)
    return f"[{space}{f'{space},{space}'.join(draw(st.lists(values, max_size=4)))}{space}]"


RAW_JSON = st.recursive(
    RAW_LEAF, lambda inner: raw_objects(inner) | raw_arrays(inner), max_leaves=10
)
"""JSON as somebody else would write it."""


REGISTER = '{"event":"register","data":{"userId":"a","role":"client","package":"webrtc"%s}}'
