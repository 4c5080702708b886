"""Two hosts that have no way to each other, and what both of them reach.

evaluator 10.81.1.2 ── 10.81.1.1 middle 10.81.2.1 ── 10.81.2.2 client
                           10.81.0.1 middle

The two know a route to that last address and to none else, and the middle forwards nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from tests.faults.hosts import connect_in, require_namespaces, run_ip
from tests.kit.processes import EXIT_S

MIDDLE = "10.81.0.1"
ADDRESSES = {"evaluator": "10.81.1.2", "client": "10.81.2.2"}


@attrs.frozen
class Islands:
    """The evaluator's host, the client's, and the middle.

    :param mark: what the names of their namespaces begin with.
    """

    mark: str

    def network_of(self, host: str) -> str:
        """The name of the namespace that what runs there is in."""
        return f"{self.mark}-{host}"

    def on(self, host: str) -> tuple[str, ...]:
        """What a command of others begins with that is to run there."""
        return ("ip", "netns", "exec", self.network_of(host))

    async def connect_on(self, host: str, address: str, port: int) -> trio.SocketStream:
        """As a process there does."""
        return await connect_in(self.network_of(host), address, port)

    async def listening_on(self, host: str) -> list[str]:
        """Addresses and ports at which anybody there takes TCP connections."""
        done = await trio.run_process((*self.on(host), "ss", "-Hltn"), capture_stdout=True)
        return [line.split()[3] for line in done.stdout.decode().splitlines()]

    async def wait_listening(self, port: int) -> None:
        """In the middle, as one of the others sees it."""
        while True:
            try:
                await (await self.connect_on("client", MIDDLE, port)).aclose()
            except ConnectionRefusedError:
                await trio.sleep(0.02)
            else:
                return


@asynccontextmanager
async def open_islands() -> AsyncIterator[Islands]:
    await require_namespaces()
    islands = Islands(f"imgsync-{uuid.uuid4().hex[:8]}")
    names = [islands.network_of(host) for host in ("middle", *ADDRESSES)]
    middle = names[0]
    try:
        for name in names:
            await run_ip("netns", "add", name)
            await run_ip("-n", name, "link", "set", "lo", "up")
        await run_ip("-n", middle, "addr", "add", f"{MIDDLE}/32", "dev", "lo")
        for host, address in ADDRESSES.items():
            there, gate = islands.network_of(host), address.rpartition(".")[0] + ".1"
            pair = ("type", "veth", "peer", "name", "eth0", "netns", there)
            await run_ip("-n", middle, "link", "add", host, *pair)
            ends = ((middle, host, gate), (there, "eth0", address))
            for name, interface, own in ends:
                await run_ip("-n", name, "addr", "add", f"{own}/24", "dev", interface)
                await run_ip("-n", name, "link", "set", interface, "up")
            await run_ip("-n", there, "route", "add", f"{MIDDLE}/32", "via", gate)
        forwards = ("sysctl", "-qw", "net.ipv4.ip_forward=0")
        await trio.run_process((*islands.on("middle"), *forwards))
        yield islands
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(EXIT_S):
            for name in names:
                await trio.run_process(("ip", "netns", "del", name), check=False)
