"""What the checks have found, as `imgsync doctor` prints it."""

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

    EVENT = "check"
    check: str
    result: Result
    detail: str
    advice: str = ""

    @property
    def prose(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.result.value:<8} {self.check:<10} {self.detail}{advice}"


@attrs.frozen
class ExaminationSummary:
    """How many checks there were, and what they mean."""

    EVENT = "summary"
    checks: int
    failed: int
    warnings: int

    @property
    def prose(self) -> str:
        return f"{self.checks} checks, {self.failed} failed, {self.warnings} with a warning"
