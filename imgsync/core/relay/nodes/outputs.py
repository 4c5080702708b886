"""What a node asks of whoever drives it, beside what every relay does."""

import attrs

from imgsync.core.protocol.signalling import FromRelay
from imgsync.core.relay.nodes.store import Boot, Transaction
from imgsync.core.relay.outputs import Output


@attrs.frozen
class Commit:
    """Carry this out, behind all that was to be carried out before; call `answered` with the ticket
    and what became of it."""

    ticket: int
    transaction: Transaction


@attrs.frozen
class Pass:
    """Put a frame on a socket's outbox, as it was made at another node, or here before."""

    socket: int
    text: str


@attrs.frozen
class Posted:
    """A message goes out to sockets through inboxes."""

    message: FromRelay


@attrs.frozen
class Sweep:
    """A boot is dead: call `sweep` with the records in which it had sockets."""

    boot: Boot


@attrs.frozen
class Retire:
    """Nothing is left of a boot that is dead: forget it."""

    boot: Boot


@attrs.frozen
class AskStandings:
    """Call `placed` with where all clients stand: something of that has not been heard."""


NodeOutput = Output | Commit | Pass | Posted | Sweep | Retire | AskStandings
