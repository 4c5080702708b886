"""Chance that is the same in every language: `web/js/core/study/shuffling.js` draws alike.

The generator is sfc32 of PractRand, seeded as there; the shuffle is Fisher's and Yates's, from the
last place to the first. A draw that would make some places likelier than others is thrown away.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = 0xFFFFFFFF
_ROUNDS = 12
"""How often it is turned before the seed is everywhere in its state."""


def generator(seed: int) -> Callable[[], int]:
    """Draws of 32 bits each, which depend on nothing but the seed, of 32 bits as well."""
    a, b, c, counter = 0, seed, 0, 1

    def draw() -> int:
        nonlocal a, b, c, counter
        drawn = (a + b + counter) & _MASK
        counter = (counter + 1) & _MASK
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & _MASK
        c = (((c << 21) | (c >> 11)) + drawn) & _MASK
        return drawn

    for _ in range(_ROUNDS):
        draw()
    return draw


def shuffled(items: Sequence[T], draw: Callable[[], int]) -> list[T]:
    """In an order by chance, each as likely as any other."""
    found = list(items)
    for last in range(len(found) - 1, 0, -1):
        other = _below(last + 1, draw)
        found[last], found[other] = found[other], found[last]
    return found


def _below(count: int, draw: Callable[[], int]) -> int:
    fair = (_MASK + 1) // count * count
    while (drawn := draw()) >= fair:
        pass
    return drawn % count
