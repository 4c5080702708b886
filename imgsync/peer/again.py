"""What a relay could not carry out is said again some time later.

Such a relay is cut off from what it shares with its others, and answers so at once. Nothing tells
when it has it back; all its peers wait for that, and are not to ask at the same moment.
"""

import random
from collections.abc import Callable
from typing import NoReturn

import trio

from imgsync.core.protocol.numbers import AGAIN_PAUSE
from imgsync.tasks import Bell


class Again:
    """See the module; `say` says all of it, whatever it was."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say = say
        self._wanted = Bell()

    def later(self) -> None:
        """Something was not carried out; what is said after the pause has it, too."""
        self._wanted.ring()

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            await trio.sleep(AGAIN_PAUSE * (0.5 + random.random() / 2))
            self._say()
