"""The wire that the other tests here have between their hosts: that it is as slow as it is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.faults.hosts import ADDRESSES, Hosts, open_hosts
from tests.kit.processes import START_S, open_child
from tests.kit.side_by_side import side_by_side

RATE, ROOM, DELAY = 250_000, 20_000, 0.05
COUNT, SIZE = 40, 972
"""With the headers of UDP, IP and Ethernet, a datagram has 1014 bytes."""

# On the one host: says when each datagram has come. On the other: says when it has sent them all.
RECEIVE = f"""
import json, socket, time
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("{ADDRESSES["client"]}", 7000))
print("bound", flush=True)
sock.settimeout({START_S})
came = []
try:
    while True:
        sock.recv(2000)
        came.append(time.monotonic())
        sock.settimeout(0.5)
except TimeoutError:
    print(json.dumps(came), flush=True)
"""
SEND = f"""
import json, socket, time
sock = socket.socket(type=socket.SOCK_DGRAM)
to = ("{ADDRESSES["client"]}", 7000)
begun = time.monotonic()
for _ in range({COUNT}):
    sock.sendto(bytes({SIZE}), to)
print(json.dumps([begun]), flush=True)
"""


async def send_burst(hosts: Hosts) -> list[float]:
    """How long each has taken that arrived, since the first was sent, s."""
    python = (sys.executable, "-c")
    async with open_child("receiver", *hosts.on("client"), *python, RECEIVE) as receiver:
        assert await receiver.wait_line(START_S) == "bound"
        async with open_child("sender", *hosts.on("evaluator"), *python, SEND) as sender:
            [begun] = json.loads(await sender.wait_line(START_S))
        came: list[float] = json.loads(await receiver.wait_line(START_S))
    return [at - begun for at in came]


@side_by_side(3)
async def test_it_delays_and_limits_what_it_carries_and_loses_what_finds_no_room(
    folder: Path,
) -> None:
    async with open_hosts() as hosts:
        quick = await send_burst(hosts)
        assert len(quick) == COUNT
        await hosts.delay(DELAY)
        await hosts.limit(RATE, ROOM)
        before = (await hosts.count())["client"].size
        slow = await send_burst(hosts)
        passed = (await hosts.count())["client"].size - before
        assert slow[0] >= DELAY
        # What has room while the first one passes, and that one.
        assert 19 <= len(slow) < COUNT
        assert slow[-1] >= DELAY + (len(slow) - 1) * 1014 / RATE
        assert passed >= 1014 * len(slow)
