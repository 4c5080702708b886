"""The browsers that pages are tested in, by their names."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.kit.browsers import Started
from tests.kit.chromium import shared_chromium
from tests.kit.firefox import shared_firefox

BROWSERS: dict[str, Callable[[], AbstractContextManager[Started]]] = {
    "chromium": shared_chromium,
    "firefox": shared_firefox,
}

in_either = pytest.mark.parametrize("browser_name", BROWSERS, scope="module")
"""For the tests of a file whose `browser` is one of them first, and then the other one."""
