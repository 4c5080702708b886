"""What a check has found, in one line for people."""

import enum

import attrs


class Result(enum.Enum):
    """How much it matters."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@attrs.frozen
class Finding:
    """The outcome of one check.

    :param check: its name, one word.
    :param detail: what was seen.
    :param advice: what to do; empty where there is nothing to be done.
    """

    check: str
    result: Result
    detail: str
    advice: str = ""

    @property
    def line(self) -> str:
        """All of it."""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.result.value:<8} {self.check:<10} {self.detail}{advice}"
