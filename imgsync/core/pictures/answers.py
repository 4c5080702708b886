"""Which answers of a host hold a picture. `web/js/core/pictures/answers.js` has the same rule."""

import re

_EMPTY = (204, 205)
_PARTIAL = 206

_WHOLE = re.compile(r"bytes 0+-([0-9]+)/([0-9]+|\*)")


def refusal_of(status: int, content_range: str | None) -> str | None:
    """Why an answer holds no whole picture, as the wire has it, or None if it may hold one.

    It was asked for without a range; some caches answer by one all the same, which may be all of
    it. What came has to be checked in any case.

    :param content_range: the header of that name; None where nobody can know whether there is one.
    """
    if not 200 <= status < 300 or status in _EMPTY:
        return f"http_{status}"
    if status != _PARTIAL or content_range is None:
        return None
    found = _WHOLE.fullmatch(content_range)
    is_whole = found is not None and found[2] in ("*", str(int(found[1]) + 1))
    return None if is_whole else f"http_{status}"
