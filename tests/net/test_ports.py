"""Ports that are found free: one for all addresses of a host."""

import errno

import pytest
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.net.ports import Listeners, open_port, port_of
from tests.kit.resolvers import Addresses
from tests.net.test_frames import open_descriptors


class TakenElsewhere:
    """Listens, on a machine where the first free ports of one family are taken in the other."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.found: list[int] = []
        self._listen = trio.open_tcp_listeners

    async def listen(self, port: int, *, host: str) -> list[trio.SocketListener]:
        if port == 0:
            listeners = await self._listen(0, host=host)
            self.found.append(port_of(listeners))
            return listeners
        if self.left > 0:
            self.left -= 1
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return await self._listen(port, host=host)


def ports_of(listeners: Listeners) -> set[int]:
    return {
        one.socket.getsockname()[1] for one in listeners if isinstance(one, trio.SocketListener)
    }


@pytest.fixture
def taken_elsewhere(monkeypatch: pytest.MonkeyPatch) -> TakenElsewhere:
    taken = TakenElsewhere(3)
    monkeypatch.setattr(trio, "open_tcp_listeners", taken.listen)
    return taken


async def test_a_host_of_all_addresses_is_listened_on_with_both_families() -> None:
    listeners = await open_port("::", 0)
    assert len(listeners) == 2
    for host in ("127.0.0.1", "::1"):
        stream = await trio.open_tcp_stream(host, port_of(listeners))
        await stream.aclose()
    with pytest.raises(InputError, match=r"can't listen on \[::\]:\d+: the port is taken"):
        await open_port("::", port_of(listeners))
    for listener in listeners:
        await listener.aclose()


async def test_a_port_that_is_taken_for_ipv4_alone_is_told_and_nothing_stays_open() -> None:
    taken = await open_port("127.0.0.1", 0)
    before = open_descriptors()
    with pytest.raises(InputError, match="the port is taken"):
        await open_port("::", port_of(taken))
    assert open_descriptors() == before
    for listener in taken:
        await listener.aclose()


async def test_a_free_port_that_is_taken_in_the_other_family_gives_way_to_another(
    taken_elsewhere: TakenElsewhere,
) -> None:
    before = open_descriptors()
    listeners = await open_port("::", 0)
    assert len(set(taken_elsewhere.found)) == 4
    assert ports_of(listeners) == {taken_elsewhere.found[-1]}
    for listener in listeners:
        await listener.aclose()
    assert open_descriptors() == before


async def test_where_no_free_port_is_free_for_all_addresses_it_is_told(
    taken_elsewhere: TakenElsewhere,
) -> None:
    taken_elsewhere.left = 1000
    before = open_descriptors()
    with pytest.raises(InputError, match=r"can't listen on \[::\]:0: the port is taken"):
        await open_port("::", 0)
    assert len(taken_elsewhere.found) < 100
    assert open_descriptors() == before


async def test_all_addresses_of_a_name_have_the_same_free_port() -> None:
    trio.socket.set_custom_hostname_resolver(Addresses("127.0.0.1", "::1"))
    listeners = await open_port("relay.example", 0)
    assert len(listeners) == 2
    assert len(ports_of(listeners)) == 1
    for listener in listeners:
        await listener.aclose()


async def test_an_address_that_the_machine_lacks_is_left_out_beside_another() -> None:
    trio.socket.set_custom_hostname_resolver(Addresses("203.0.113.7", "127.0.0.1"))
    (listener,) = await open_port("relay.example", 0)
    await listener.aclose()
    trio.socket.set_custom_hostname_resolver(Addresses("203.0.113.7"))
    with pytest.raises(InputError, match="this machine has no such address"):
        await open_port("relay.example", 0)


async def test_an_address_of_one_network_is_listened_on_there() -> None:
    (listener,) = await open_port("::1%1", 0)
    assert isinstance(listener, trio.SocketListener)
    stream = await trio.open_tcp_stream("::1", port_of([listener]))
    await stream.aclose()
    await listener.aclose()


async def test_the_network_of_a_link_local_address_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def listen(port: int, *, host: str) -> list[trio.SocketListener]:
        asked.append(host)
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(trio, "open_tcp_listeners", listen)
    with pytest.raises(InputError, match="no such address"):
        await open_port("fe80::1%1", 8765)
    assert asked == ["fe80::1%1"]
