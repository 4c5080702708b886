"""What a person types to drive a session, and which image it means."""

import attrs

HELP = "next, prev, goto N (from 0), end"


@attrs.frozen
class Show:
    """Show the image of this index."""

    index: int


@attrs.frozen
class End:
    """End the session."""


@attrs.frozen
class Refused:
    """Nothing is to be done, and why."""

    why: str


Command = Show | End | Refused


def parse_line(line: str, current: int | None, count: int) -> Command | None:
    """What a line asks for; None for an empty one.

    :param current: index of the image that is shown, None before the first.
    :param count: how many images there are.
    """
    match line.split():
        case []:
            return None
        case ["next"]:
            return _show(0 if current is None else current + 1, count)
        case ["prev"]:
            return _show(0 if current is None else current - 1, count)
        case ["goto", number] if number.isdecimal() and len(number) <= 9:
            return _show(int(number), count)
        case ["end"]:
            return End()
        case _:
            return Refused(f"unknown command {line.strip()[:40]!r}; known are: {HELP}")


def _show(index: int, count: int) -> Command:
    if 0 <= index < count:
        return Show(index)
    return Refused(f"there is no image {index}; they go from 0 to {count - 1}")


class Keys:
    """Single keys of a terminal, as the lines that they stand for."""

    def __init__(self) -> None:
        self._digits = ""

    def press(self, key: str) -> str | None:
        """The line that is complete with this key, or None."""
        if key.isdecimal() and key.isascii():
            self._digits += key
            return None
        digits, self._digits = self._digits, ""
        if key in ("\r", "\n"):
            return f"goto {digits}" if digits else "next"
        return {"n": "next", " ": "next", "p": "prev", "q": "end", "\x04": "end"}.get(key)
