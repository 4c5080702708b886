"""Do what a person types, line by line, with a series of images."""

from collections.abc import AsyncIterator
from typing import Protocol

import trio

from imgsync.commands.evaluator.steering import End, Note, Refused, Show, parse_line


class Driven(Protocol):
    """A series, for whoever drives it."""

    @property
    def current(self) -> int | None:
        """The place of what is shown; None before the first."""

    @property
    def count(self) -> int:
        """Images in the series."""

    async def begin(self, index: int, showing: trio.Nursery) -> None:
        """Show an image now."""

    def note(self, score: float | None, text: str | None) -> None:
        """Note this of what is shown."""

    def refuse(self, why: str) -> None:
        """What was typed can't be done."""


async def obey_lines(series: Driven, lines: AsyncIterator[str], showing: trio.Nursery) -> bool:
    """Until nothing more is typed, or the end is, which is what it returns.

    :param showing: where acks are waited for.
    """
    async for line in lines:
        match parse_line(line, series.current, series.count):
            case Show(index):
                await series.begin(index, showing)
            case Note(score, text):
                series.note(score, text)
            case Refused(why):
                series.refuse(why)
            case End():
                return True
    return False


async def obey_to_the_end(
    series: Driven, lines: AsyncIterator[str], showing: trio.Nursery, scope: trio.CancelScope
) -> None:
    """Where nothing more is typed, the series goes on by itself; where the end is, it does not."""
    if await obey_lines(series, lines, showing):
        scope.cancel()
