"""Keys by the names of `KeyboardEvent.key`; `web/js/core/protocol/keys.js` has the same."""

NAMED_KEYS = (
    "Space",
    "Enter",
    "Backspace",
    "Delete",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
)
"""Keys without a character of their own that a page can hear."""


def plain_key(name: str) -> str:
    """Its name as it is compared and told: of a letter it does not matter whether it is a small
    one, and what a space bar types with other keys held, as U+00A0, is no printable name."""
    if len(name) != 1:
        return name
    is_space = name.isspace() and (name == " " or name >= "\xa0")
    return "Space" if is_space else name.lower()
