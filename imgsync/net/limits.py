"""How much one port grants to whoever connects to it, and for how long."""

import attrs

from imgsync.core.codec.codec import MAX_FRAME


@attrs.frozen
class NetLimits:
    """What a connection may cost.

    :param max_head: bytes of a request's head; a longer one is answered 431.
    :param head_deadline: seconds for a head. One that began and is not there in time is answered
        408; a connection on which nothing came, or nothing more, is closed without a word.
    :param max_message: characters (bytes, if binary) of one WebSocket message; a longer one closes
        the socket with 1009, and so does one in too many frames.
    :param outbox_size: bytes that are posted to a WebSocket and not written yet; more close it
        with 4013. A limit in frames would hit healthy peers: reading takes fewer turns of Trio's
        loop than writing, so that of a burst a half is queued, and ten clients that trickle at once
        are a burst of hundreds.
    :param outbox_total: bytes of memory that all WebSockets of the port together take by what is
        posted and not written yet, and by messages that have come in half. Beyond it the largest is
        closed with 4013, or dropped where it takes nothing, then the next one; see
        `imgsync.net.held`. By default some 500 evaluators may be told a list of thousands at once.
    :param write_deadline: seconds for each 64 KiB that are written, by the rule of
        `imgsync.net.pace`; a WebSocket whose peer takes longer is dropped, with 4013.
    :param max_streams: TCP connections on the port. Those above are answered 503 at once, whatever
        they want.
    :param max_streams_per_address: those of one address, if it is no proxy's; 503, too.
    :param idle_gives_way: where there are so many, the one that has waited longest for a request is
        closed in place of turning a new one away.
    """

    max_head: int = 16 * 1024
    head_deadline: float = 10.0
    max_message: int = MAX_FRAME
    outbox_size: int = 1024 * 1024
    outbox_total: int = 256 * 1024 * 1024
    write_deadline: float = 10.0
    max_streams: int = 5256
    max_streams_per_address: int = 1000
    idle_gives_way: bool = False
