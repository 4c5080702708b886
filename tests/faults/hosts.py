"""Hosts whose network can fail: network namespaces, with a wire of ours between them.

evaluator 10.77.0.1 ── wire ── 10.77.0.2 client

or, with IPv6 alone, fd77::1 and fd77::2; and where the relay has a host of its own, it is at
10.77.0.4, on the same wire.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from tests.faults import lossy_wire
from tests.faults.stage import now_ms
from tests.kit.processes import EXIT_S, START_S, Child, open_child

ADDRESSES = {"evaluator": "10.77.0.1", "client": "10.77.0.2"}
WITH_RELAY = {**ADDRESSES, "relay": "10.77.0.4"}
IPV6_ADDRESSES = {"evaluator": "fd77::1", "client": "fd77::2"}
ELSEWHERE = "10.77.0.3"


def _make_socket_in(namespace: str) -> trio.socket.SocketType:
    with open(namespace) as there, open("/proc/thread-self/ns/net") as here:
        _enter(there.fileno())
        try:
            return trio.socket.socket()
        finally:
            _enter(here.fileno())


async def connect_in(network: str, address: str, port: int) -> trio.SocketStream:
    """As a process in that namespace does: a socket stays where it was made, whoever uses it."""
    sock = _make_socket_in(f"/run/netns/{network}")
    try:
        await sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


def _enter(namespace: int) -> None:
    """This thread's network is that one from now on."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0) != 0:
        raise OSError(ctypes.get_errno(), "no way into a network namespace")


async def run_ip(*words: str) -> None:
    done = await trio.run_process(("ip", *words), capture_stderr=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


async def require_namespaces() -> None:
    """Skip where they can't be made; there is no such place among those that have to test all."""
    missing = "" if shutil.which("ip") else "ip is not installed"
    if not missing:
        probe = ("unshare", "-n", "ip", "netns", "list")
        done = await trio.run_process(probe, capture_stdout=True, capture_stderr=True, check=False)
        allowed = done.returncode == 0 and os.geteuid() == 0
        missing = "" if allowed else "network namespaces need root"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


@attrs.frozen
class Carried:
    """What has come out of the wire at one end, with all that is around it."""

    frames: int
    size: int  # bytes


@attrs.define
class Hosts:
    """Hosts, named for who runs there, and what lies between them.

    :param mark: what the names of their namespaces begin with.
    :param addresses: of each.
    """

    mark: str
    addresses: Mapping[str, str]
    wire: Child

    def network_of(self, host: str) -> str:
        """The name of the namespace that what runs there is in."""
        return f"{self.mark}-{host}"

    def on(self, host: str) -> tuple[str, ...]:
        """What a command of others begins with that is to run there."""
        return ("ip", "netns", "exec", self.network_of(host))

    async def connect_on(self, host: str, address: str, port: int) -> trio.SocketStream:
        """As a process there does."""
        return await connect_in(self.network_of(host), address, port)

    async def set_link(self, host: str, state: str) -> float:
        """Set its interface up or down; returns when."""
        await run_ip("-n", self.network_of(host), "link", "set", "eth0", state)
        return now_ms()

    async def move(self, host: str) -> float:
        """Give it another address instead of its own; returns when."""
        addr, on_eth0 = ("-n", self.network_of(host), "addr"), ("dev", "eth0")
        await run_ip(*addr, "del", f"{ADDRESSES[host]}/24", *on_eth0)
        await run_ip(*addr, "add", f"{ELSEWHERE}/24", *on_eth0)
        return now_ms()

    async def narrow(self, mtu: int) -> None:
        """From now on larger datagrams are lost, either way."""
        await self.wire.write(f"narrow {mtu}\n")

    async def lose(self, share: float) -> None:
        """From now on, of what goes either way."""
        await self.wire.write(f"lose {share}\n")

    async def delay(self, seconds: float) -> None:
        """From now on all comes so much later, either way."""
        await self.wire.write(f"delay {seconds}\n")

    async def limit(self, rate: float, room: float) -> None:
        """From now on so many bytes pass in a second, either way, and so many may wait for it."""
        await self.wire.write(f"limit {rate} {room}\n")

    async def count(self) -> dict[str, Carried]:
        """What each of them has been sent until now."""
        await self.wire.write("count\n")
        counts = map(int, (await self.wire.wait_line(EXIT_S)).split())
        return dict(zip(self.addresses, map(Carried, counts, counts), strict=True))

    async def let_pass(self, *ports: int) -> None:
        """From now on nothing of IP passes but TCP from and to these ports."""
        await self.wire.write(f"pass {' '.join(map(str, ports))}\n")

    async def forget_connections(self) -> float:
        """What is said on today's TCP connections never arrives; returns when."""
        await self.wire.write("forget\n")
        return now_ms()


@asynccontextmanager
async def open_hosts(
    addresses: Mapping[str, str] = ADDRESSES,
) -> AsyncIterator[Hosts]:
    """:param addresses: of each host, all of one family; they have no other, but for loopback."""
    await require_namespaces()
    ipv6 = ":" in "".join(addresses.values())
    mark = f"imgsync-{uuid.uuid4().hex[:8]}"
    middle = f"{mark}-wire"
    names = [middle, *(f"{mark}-{host}" for host in addresses)]
    try:
        for name in names:
            await run_ip("netns", "add", name)
            await run_ip("-n", name, "link", "set", "lo", "up")
        for host, address in addresses.items():
            name = f"{mark}-{host}"
            peer = ("peer", "name", "eth0", "netns", name)
            await run_ip("-n", middle, "link", "add", host, "type", "veth", *peer)
            await run_ip("-n", middle, "link", "set", host, "up", "promisc", "on")
            # No link-local address that comes by itself, a second or two later: for a browser that
            # is another network, and it ends what it has on the one before.
            await run_ip("-n", name, "link", "set", "eth0", "addrgenmode", "none")
            # An address that it had to look for others of the same first would not be there yet.
            options = ("nodad",) if ipv6 else ()
            whole = f"{address}/{64 if ipv6 else 24}"
            await run_ip("-n", name, "addr", "add", whole, "dev", "eth0", *options)
            await run_ip("-n", name, "link", "set", "eth0", "up")
        command = ("ip", "netns", "exec", middle, sys.executable, lossy_wire.__file__, *addresses)
        async with open_child("wire", *command, stdin=subprocess.PIPE) as wire:
            assert await wire.wait_line(START_S) == "up"
            yield Hosts(mark, addresses, wire)
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(EXIT_S):
            for name in names:
                await trio.run_process(("ip", "netns", "del", name), check=False)
