"""The relay of `soak.py`: the command itself, with a thread beside it that says what it holds.

    python bench/soak_relay.py

Each line on stdin is answered with one JSON object on stdout; SIGTERM ends it, as always.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import held

from imgsync.commands.relay.main import main

OPTIONS = ("--port", "0", "--stun", "none", "--connect-rate", "0", "--rate-limit", "0")


def _answer() -> None:
    # Not by a buffered reader, whose lock an interpreter that ends would wait for.
    while chunk := os.read(sys.stdin.fileno(), 4096):
        for _ in range(chunk.count(b"\n")):
            print(json.dumps(held.measure()), flush=True)


if __name__ == "__main__":
    threading.Thread(target=_answer, daemon=True).start()
    sys.exit(main(OPTIONS))
