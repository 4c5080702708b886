"""What goes wrong with files that somebody named, as a sentence for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from imgsync.core.protocol.errors import InputError


def why_of(exc: OSError) -> str:
    """The system's own words."""
    return exc.strerror or str(exc)


@contextmanager
def input_errors(what: str, advice: str) -> Iterator[None]:
    """Stands around file operations: what the system refuses is an InputError.

    :param what: what can't be done, as the start of a sentence.
    :param advice: what to do instead, as its end.
    """
    try:
        yield
    except OSError as exc:
        raise InputError(f"{what}: {why_of(exc)}; {advice}") from exc
