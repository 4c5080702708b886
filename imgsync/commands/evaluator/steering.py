"""What a person types to drive a session, and which image it means."""

import math

import attrs

HELP = "next, prev, goto N (from 0), mark TEXT, score NUMBER [TEXT], end"


@attrs.frozen
class Show:
    """Show the image of this index."""

    index: int


@attrs.frozen
class Note:
    """Note this of what is shown."""

    score: float | None
    text: str | None


@attrs.frozen
class End:
    """End the session."""


@attrs.frozen
class Refused:
    """Nothing is to be done, and why."""

    why: str


Command = Show | Note | End | Refused


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
        case ["mark", _, *_]:
            return Note(None, line.split(maxsplit=1)[1].strip())
        case ["score", number, *more]:
            return _score(number, line.split(maxsplit=2)[2].strip() if more else None)
        case ["end"]:
            return End()
        case _:
            return Refused(f"unknown command {line.strip()[:40]!r}; known are: {HELP}")


def _show(index: int, count: int) -> Command:
    if 0 <= index < count:
        return Show(index)
    return Refused(f"there is no image {index}; they go from 0 to {count - 1}")


def _score(number: str, text: str | None) -> Command:
    try:
        score = float(number)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        return Refused(f"a score is a number, and not {number[:40]!r}")
    return Note(score, text)


_NOTES = {"m": "mark", "s": "score"}
"""Keys behind which a text follows, up to Enter; Escape gives it up."""


class Keys:
    """Single keys of a terminal, as the lines that they stand for."""

    def __init__(self) -> None:
        #: Digits of a number, or what is noted, with its command.
        self.typed = ""

    def press(self, key: str) -> str | None:
        """The line that is complete with this key, or None."""
        if self.typed.startswith(tuple(_NOTES.values())):
            return self._press_in_note(key)
        if key.isdecimal() and key.isascii():
            self.typed += key
            return None
        digits, self.typed = self.typed, ""
        if key in ("\r", "\n"):
            return f"goto {digits}" if digits else "next"
        if key in _NOTES:
            self.typed = f"{_NOTES[key]} "
            return None
        return {"n": "next", " ": "next", "p": "prev", "q": "end", "\x04": "end"}.get(key)

    def _press_in_note(self, key: str) -> str | None:
        command, _, noted = self.typed.partition(" ")
        if key in ("\r", "\n", "\x04", "\x1b"):
            self.typed = ""
            return f"{command} {noted}" if noted.strip() and key in ("\r", "\n") else None
        if key in ("\x7f", "\b"):
            noted = noted[:-1]
        elif key.isprintable():
            noted += key
        self.typed = f"{command} {noted}"
        return None
