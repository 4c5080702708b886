"""The scripts that Redis runs, each of which is carried out as a whole."""

import hashlib
from pathlib import Path

import attrs

_FOLDER = Path(__file__).parent / "lua"


@attrs.frozen
class Script:
    """One of them.

    :param digest: by which Redis knows it once it has seen it.
    """

    text: bytes = attrs.field(repr=False)
    digest: str


def _read(name: str) -> Script:
    text = b"".join((_FOLDER / f"{part}.lua").read_bytes() for part in ("shared", name))
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


BEGIN = _read("begin")
OPEN = _read("open")
COMMIT = _read("commit")
RENEW = _read("renew")
STANDINGS = _read("standings")
HELD = _read("held")
RETIRE = _read("retire")
PROBE = _read("probe")
