"""The browsers that pages are tested in, by their names."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.kit.browsers import Started
from tests.kit.chromium import shared_chromium
from tests.kit.firefox import shared_firefox

BROWSERS: dict[str, Callable[[], AbstractContextManager[Started]]] = {
    "chromium": shared_chromium,
    "firefox": shared_firefox,
}
