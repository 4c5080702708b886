"""What all WebSockets of a port hold in memory together, and which one goes when it is too much.

Two things grow by what peers do, or leave: texts that are posted and not taken, and messages that
have come in half. What counts is memory: one emoji makes each character of a text take four bytes,
and a text that is posted to many is there once, until it is written to each.

Sockets are kept by how much they hold, in powers of two, and those of one power in the order in
which they came to it. So whatever happens costs the same however many there are, and the one that
goes is one of the largest: of these, the one that has been so large for the longest. Nobody goes
who holds less than SMALL: a crowd that others slow down is not what is given up for them.
"""

from collections.abc import Callable

SMALL = 4 * 1024
"""Bytes below which a socket is never closed for what all hold together. Five thousand that hold as
much take 20 MiB, which come on top of the limit."""

_RANKS = 48
"""Powers of two, from SMALL on: more memory than there is."""


def _do_nothing() -> None:
    return None


class Held:
    """What the sockets of a port hold.

    :param limit: bytes; who holds much is closed where it is exceeded.
    :param on_shed: told of each one that is.
    """

    def __init__(self, limit: int, on_shed: Callable[[], None] = _do_nothing) -> None:
        self.limit = limit
        #: Bytes.
        self.size = 0
        self._on_shed = on_shed
        #: In how many outboxes each long text is, and its bytes; by its `id`, which is no other's
        #: while it is in one.
        self._copies: dict[int, tuple[int, int]] = {}
        self._ranks: list[dict[Account, None]] = [{} for _ in range(_RANKS)]

    def open(self) -> "Account":
        """What a new socket holds."""
        return Account(self)

    def add(self, text: str, size: int) -> None:
        """A text is in one more outbox."""
        if size < SMALL:  # which is not worth looking whether it is there already
            self.size += size
            return
        copies, size = self._copies.get(id(text), (0, size))
        self._copies[id(text)] = (copies + 1, size)
        if not copies:
            self.size += size

    def remove(self, text: str, size: int) -> None:
        """It is in one less."""
        if size < SMALL:
            self.size -= size
            return
        copies, size = self._copies.pop(id(text))
        if copies > 1:
            self._copies[id(text)] = (copies - 1, size)
        else:
            self.size -= size

    def move(self, account: "Account", before: int, now: int) -> None:
        """A socket holds so much more or less that it is of another rank."""
        if before:
            del self._ranks[before][account]
        if now:
            self._ranks[now][account] = None

    def shed(self) -> None:
        """End who holds most, until it is no more than there may be."""
        for members in reversed(self._ranks):
            while members and self.size > self.limit:
                account = next(iter(members))
                account.on_shed()
                account.close()
                self._on_shed()


class Account:
    """What one socket holds. Made by `Held.open`."""

    __slots__ = ("_held", "_rank", "incoming", "on_shed", "size")

    def __init__(self, held: Held) -> None:
        self._held: Held | None = held
        self._rank = 0
        #: Bytes, those of `incoming` among them.
        self.size = 0
        #: Bytes of a message that has come in half.
        self.incoming = 0
        #: Ends the socket, and takes everything out of its outbox.
        self.on_shed: Callable[[], None] = _do_nothing

    def put(self, text: str, size: int) -> None:
        """A text of so many bytes is in its outbox from now on."""
        if self._held is not None:
            self._held.add(text, size)
            self._change(self._held, size)

    def take(self, text: str, size: int) -> None:
        """... and is there no more."""
        if self._held is not None:
            self._held.remove(text, size)
            self._change(self._held, -size)

    def make_own(self, text: str, size: int) -> None:
        """It is to be written, by a copy that is nobody else's; see `check` and `written`."""
        if self._held is not None and size >= SMALL:
            self._held.remove(text, size)
            self._held.size += size

    def check(self) -> None:
        """Several were made its own; who holds most goes if that was too much."""
        if self._held is not None and self._held.size > self._held.limit:
            self._held.shed()

    def written(self, size: int) -> None:
        """Copies of so many bytes are there no more."""
        if self._held is not None:
            self._held.size -= size
            self._change(self._held, -size)

    def expect(self, size: int) -> None:
        """So many bytes have come of a message that is not whole; 0 when it is."""
        if self._held is not None:
            more, self.incoming = size - self.incoming, size
            self._held.size += more
            self._change(self._held, more)

    def close(self) -> None:
        """Nothing of it counts any more. Its outbox has to be empty."""
        held, self._held, self.on_shed = self._held, None, _do_nothing
        if held is not None:
            held.move(self, self._rank, 0)
            held.size -= self.size

    def _change(self, held: Held, more: int) -> None:
        self.size += more
        rank = (self.size // SMALL).bit_length()
        if rank != self._rank:
            held.move(self, self._rank, rank)
            self._rank = rank
        if more > 0 and held.size > held.limit:
            held.shed()
