"""The browsers that pages are tested in, by their names."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import pytest

from tests.kit.browsers import Started
from tests.kit.chromium import shared_chromium, shared_shell
from tests.kit.firefox import shared_firefox

BROWSERS: dict[str, Callable[[], AbstractContextManager[Started]]] = {
    "chromium": shared_chromium,
    "firefox": shared_firefox,
}

FOR_PAGES = BROWSERS | {"chromium": shared_shell}
"""For tests of what is in a page, which is most of them."""


class Browsers(Protocol):
    """Starts each when it is first asked for."""

    def __call__(self, name: str, *, whole: bool = False) -> Started:
        """:param whole: for tests of what is around a page too: windows, sound, a lock on sleep."""


in_either = pytest.mark.parametrize("browser_name", BROWSERS, scope="module")
"""For the tests of a file whose `browser` is one of them first, and then the other one."""
