"""Which keys may be asked for in a study: `web/js/core/study/keys.js` has the same list.

A page sees every key that types one character. Of the others, some never reach it, and some do
something else in a browser first: Escape ends the full screen, Tab leaves the picture.
"""

from imgsync.core.protocol.keys import NAMED_KEYS
from imgsync.core.protocol.trials import is_key

_MEANT = {name.lower(): name for name in NAMED_KEYS} | {
    name.lower().removeprefix("arrow"): name for name in NAMED_KEYS
}
_MEANT |= {" ": "Space", "spacebar": "Space", "return": "Enter", "del": "Delete"}

_TAKEN = {
    "Escape": "ends the full screen",
    "Tab": "leaves the picture",
    "PrintScreen": "is the system's",
    **dict.fromkeys((f"F{number}" for number in range(1, 25)), "is the browser's"),
    **dict.fromkeys(
        ("Shift", "Control", "Alt", "AltGraph", "Meta", "Fn", "CapsLock", "NumLock", "ScrollLock"),
        "changes what other keys mean",
    ),
}
"""What keys do that a page can't have."""


def fault_of_key(name: object) -> str | None:
    """Why no page can hear this key, as what follows the name of an image; None where it can."""
    if not isinstance(name, str) or not (name == " " or is_key(name)):
        return "asks in respond for a key whose name is not 1 to 32 printable characters"
    meant = _MEANT.get(name.lower())
    if name in NAMED_KEYS or (len(name) == 1 and meant is None):
        return None
    if meant is not None:
        return f'asks for the key "{name}"; call it {meant}'
    why = _TAKEN.get(name, "which no page knows; see the list of keys")
    known = name in _TAKEN
    return f'asks for the key "{name}", {"which " if known else ""}{why}; choose another one'
