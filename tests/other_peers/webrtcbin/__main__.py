"""Run one foreign peer on GStreamer's webrtcbin, with the Python that has `gi`:

    /usr/bin/python3 -m tests.other_peers.webrtcbin evaluator|client --relay URL --user ID
        [--client ID] [--images N] [--deadline SECONDS] [--tcp-alone]

On stdout stands one JSON line once the relay has registered the peer, and one with the result; the
steps go to stderr. Exit 0 with a complete result, 1 with the reason on stderr, 2 for usage.

Everything that happens, on GStreamer's threads or on the socket's, goes into one queue, and one
loop reads it. Nothing is imported but GStreamer and the standard library, so that the system's
Python runs it. It speaks no extension of the protocol.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from tests.other_peers.webrtcbin.peers import Client, Evaluator, tell
from tests.other_peers.webrtcbin.relay import PeerError


def leave(code: int) -> NoReturn:
    """Without what GStreamer's threads still have to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("evaluator", "client"))
    parser.add_argument("--relay", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--client")
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--deadline", type=float, default=30.0)
    parser.add_argument("--tcp-alone", action="store_true")
    given = parser.parse_args()
    try:
        result = {"evaluator": Evaluator, "client": Client}[given.role](given).run()
    except (PeerError, OSError) as exc:
        print(f"{given.role}: {exc}", file=sys.stderr)
        leave(1)
    tell(sys.stdout, result)
    leave(0)


if __name__ == "__main__":
    main()
