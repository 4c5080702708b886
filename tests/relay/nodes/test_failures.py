"""A Redis that is not there, does not answer, refuses, or comes back as another one."""

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import trio
import trustme

from imgsync.core.protocol.errors import EpochLost, StoreAway
from imgsync.core.relay.nodes.store import ABSENT, Boot, Done, Hint, Key, Part, Transaction
from imgsync.relay.nodes import hearing, link
from imgsync.relay.nodes import store as store_module
from imgsync.relay.nodes.store import Store, open_store
from imgsync.tasks import open_background
from tests.kit.middleboxes import open_middlebox
from tests.kit.ports import find_free_port
from tests.kit.redis_servers import needs_redis, run_redis

pytestmark = needs_redis

T = TypeVar("T")

A, B = Boot("A"), Boot("B")
X = Key("x")

BOUND_S = 5
"""Seconds for a call that would wait for ever without its deadline, whatever else is done here."""

WAIT_S = 15

NOTHING = Transaction({})
SAY = Transaction({}, posts={A: [Part("somebody", "something")]})


@asynccontextmanager
async def open_node(url: str, boot: Boot = A) -> AsyncIterator[Store]:
    async with open_store(url) as store:
        await store.open(boot)
        yield store


async def fails(call: Callable[[], Awaitable[object]], match: str | None = None) -> None:
    """Within its bound."""
    with trio.fail_after(BOUND_S), pytest.raises(StoreAway, match=match):
        await call()


async def works_again(store: Store) -> None:
    """On the same server, without being told."""
    with trio.fail_after(WAIT_S):
        while True:
            try:
                assert await store.commit([NOTHING]) == [Done(ABSENT)]
                return
            except StoreAway:
                await trio.sleep(0.01)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only listens asks sooner whether it is heard."""
    monkeypatch.setattr(link, "SILENCE_S", 0.2)
    monkeypatch.setattr(hearing, "RETRY_S", 0.01)


@contextmanager
def hasty_calls() -> Iterator[None]:
    """Calls fail sooner that won't be answered."""
    assert link.CALL_S == 1
    with pytest.MonkeyPatch.context() as patch:
        for module in (link, store_module):
            patch.setattr(module, "CALL_S", 0.2)
        yield


# ── not there, or silent ─────────────────────────────────────────────────────────────────────────


async def test_a_redis_that_is_not_there_is_said_at_once_and_used_as_soon_as_it_is() -> None:
    port = find_free_port()
    async with open_store(f"redis://127.0.0.1:{port}") as store:
        for call in (
            partial(store.open, A),
            partial(store.commit, [NOTHING]),
            partial(store.read, "0-0"),
            store.probe,
        ):
            with trio.fail_after(0.5):
                await fails(call, f"can't reach Redis at 127.0.0.1:{port}: .*refused")
        with run_redis(port=port):
            await store.open(A)
            await works_again(store)
        await fails(partial(store.commit, [NOTHING]))


async def test_a_frozen_redis_fails_each_call_within_a_second_and_carries_out_none_twice(
    hasty: None,
) -> None:
    with run_redis() as redis:
        async with open_node(redis.url) as store, open_hearing(store) as heard:
            assert await heard.receive() is None
            redis.freeze()
            with hasty_calls():
                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(fails, partial(store.commit, [SAY]), "has not answered")
                await fails(partial(store.commit, [SAY]), "can't reach Redis .* has not answered")
            redis.thaw()
            await works_again(store)
            await store.commit([SAY])
            place = Transaction({}, standings={"client": "here"})
            hint = None
            while hint is None:  # it may have been lost meanwhile, and with it what is said now
                await store.commit([place])
                with trio.move_on_after(0.1):
                    hint = await heard.receive()
            # What had been sent was carried out once, if at all.
            assert len(await store.read("0-0")) <= 4


@asynccontextmanager
async def open_hearing(
    store: Store,
) -> AsyncIterator[trio.MemoryReceiveChannel[Hint | None]]:
    """All hints, which are asked for all the time."""
    send, receive = trio.open_memory_channel[Hint | None](100)

    async def hear() -> None:
        async with aclosing(store.hints()) as hints:
            async for hint in hints:
                await send.send(hint)

    with trio.fail_after(WAIT_S):
        async with open_background() as nursery:
            nursery.start_soon(hear)
            yield receive


async def test_leaving_takes_no_second_whoever_waits_for_a_frozen_redis() -> None:
    with run_redis() as redis:
        with trio.fail_after(WAIT_S):
            async with open_node(redis.url) as store, trio.open_nursery() as nursery:
                hints = store.hints()
                assert await anext(hints) is None
                nursery.start_soon(store.read, "0-0")
                await trio.testing.wait_all_tasks_blocked()
                redis.freeze()
                nursery.start_soon(store.commit, [NOTHING])
                await trio.testing.wait_all_tasks_blocked()
                start = trio.current_time()
                nursery.cancel_scope.cancel()
        await hints.aclose()
        assert trio.current_time() - start < 1


@pytest.mark.parametrize("fault", ["swallowed", "reset"])
async def test_a_connection_that_is_forgotten_or_broken_off_on_the_way_is_made_anew(
    fault: str, hasty: None
) -> None:
    with run_redis() as redis:
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(open_middlebox(redis.url))
            store = await stack.enter_async_context(open_node(f"redis://127.0.0.1:{box.port}"))
            heard = await stack.enter_async_context(open_hearing(store))
            assert await heard.receive() is None
            if fault == "reset":
                box.reset()
            else:
                box.forget()
            with hasty_calls():
                await fails(partial(store.commit, [SAY]))
            assert await store.commit([SAY]) == [Done(ABSENT)]
            assert await heard.receive() is None
            await store.commit([Transaction({}, standings={"client": "here"})])
            assert await heard.receive() is not None
            assert await store.read("0-0")


# ── another one, or an empty one ─────────────────────────────────────────────────────────────────


async def all_say_that_the_epoch_is_lost(store: Store) -> None:
    calls: list[Awaitable[object]] = [store.commit([NOTHING]), store.renew("0-0"), store.leave()]
    calls += [store.standings(), store.held_by(A), store.retire(A), store.probe()]
    for call in calls:
        with pytest.raises(EpochLost):
            await call


async def write(store: Store) -> int:
    """The version."""
    [done] = await store.commit([Transaction({}, {X: "text"}, standings={"client": "here"})])
    assert isinstance(done, Done)
    return done.version


async def begin_anew(first: Store, second: Store, before: int) -> None:
    """Two nodes take the same epoch, in which there is nothing and no version comes again."""
    await first.open(A)
    await all_say_that_the_epoch_is_lost(second)
    await second.open(B)
    assert await second.standings() == (0, {})
    assert await first.commit([Transaction({X: ABSENT}, alive=frozenset({B}))]) == [Done(ABSENT)]
    assert await write(first) > before
    assert (await second.standings())[0] > before


async def test_an_emptied_redis_begins_anew() -> None:
    with run_redis() as redis:
        async with open_node(redis.url) as a, open_node(redis.url, B) as b:
            before = await write(a)
            redis.flush()
            await all_say_that_the_epoch_is_lost(a)
            await begin_anew(a, b, before)


@pytest.mark.parametrize("keeps", ["nothing", "all"])
async def test_a_redis_that_was_started_again_begins_anew_whatever_it_has_kept(
    keeps: str, tmp_path: Path
) -> None:
    options = ["--dir", tmp_path, "--appendonly", "yes" if keeps == "all" else "no"]
    options += ["--appendfsync", "always"]
    async with AsyncExitStack() as stack:
        with run_redis(*options) as redis:
            a = await stack.enter_async_context(open_node(redis.url))
            b = await stack.enter_async_context(open_node(redis.url, B))
            before = await write(a)
            redis.kill()
            await fails(partial(b.commit, [NOTHING]))
        with run_redis(*options, port=redis.port) as again:
            assert (again.call("DBSIZE") != ["0"]) == (keeps == "all")
            await all_say_that_the_epoch_is_lost(a)
            await begin_anew(a, b, before)


async def test_a_replica_that_is_promoted_begins_anew_and_takes_nothing_before_that() -> None:
    at_once = ("--repl-diskless-sync-delay", 0)
    with (
        run_redis(*at_once) as primary,
        run_redis("--replicaof", "127.0.0.1", primary.port) as replica,
    ):
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(open_middlebox(primary.url))
            url = f"redis://127.0.0.1:{box.port}"
            a = await stack.enter_async_context(open_node(url))
            b = await stack.enter_async_context(open_node(url, B))
            before = await write(a)
            assert primary.call("WAIT", 1, WAIT_S * 1000) == ["1"]
            box.target = replica.port
            primary.kill()
            with pytest.raises((StoreAway, EpochLost)):
                await a.commit([NOTHING])
            await fails(partial(a.open, A), "of no use: .*read only replica")
            replica.call("REPLICAOF", "NO", "ONE")
            assert replica.call("HGET", "{imgsync}:all", "epoch")
            await all_say_that_the_epoch_is_lost(a)
            await begin_anew(a, b, before)


# ── what it refuses ──────────────────────────────────────────────────────────────────────────────


async def test_a_redis_that_takes_nothing_carries_out_nothing() -> None:
    with run_redis() as redis:
        async with open_node(redis.url) as store:
            version = await write(store)
            both = Transaction(
                {X: version},
                {X: None},
                deadlines={X: None},
                joins=frozenset({(A, X)}),
                posts={A: [Part("x", "y")]},
            )
            for name, value, why in [
                ("maxmemory", 1, "OOM"),
                ("min-replicas-to-write", 1, "NOREPLICAS"),
            ]:
                redis.call("CONFIG", "SET", name, value)
                await fails(partial(store.commit, [both]), f"of no use: .*{why}")
                await fails(partial(store.commit, [SAY]), why)
                redis.call("CONFIG", "SET", name, 0)
                assert await store.held_by(A) == []
            [done] = await store.commit([both])
            assert isinstance(done, Done)
            assert len(await store.read("0-0")) == 1


async def test_a_password_is_given_apart_or_in_the_url_and_its_lack_is_said() -> None:
    login = ("-a", "se%cret", "--no-auth-warning")
    with run_redis("--requirepass", "se%cret", login=login) as redis:
        there = f"127.0.0.1:{redis.port}"
        for url, password in [
            (redis.url, "se%cret"),
            (f"redis://:se%25cret@{there}", None),
            (f"redis://default:wrong@{there}", "se%cret"),
        ]:
            async with open_store(url, password=password) as store:
                await store.open(A)
        async with open_store(redis.url) as store:
            await fails(partial(store.open, A), "asks for a password")
        async with open_store(f"redis://:wr0ng@{there}") as store:
            with pytest.raises(StoreAway, match="refuses the password") as raised:
                await store.open(A)
            assert "wr0ng" not in str(raised.value)


async def test_another_database_and_a_unix_socket_are_used_when_they_are_named(
    tmp_path: Path,
) -> None:
    with run_redis("--unixsocket", tmp_path / "socket") as redis:
        for url, number in [
            (f"{redis.url}/3", 3),
            (f"unix://{tmp_path}/socket", 0),
            (f"unix://{tmp_path}/socket?db=5", 5),
        ]:
            async with open_node(url) as store:
                await works_again(store)
            assert redis.call("-n", number, "EXISTS", "{imgsync}:all") == ["1"]
        async with open_store(f"unix://{tmp_path}/nobody") as store:
            await fails(partial(store.open, A), "can't reach Redis at /.*nobody: No such file")


async def test_tls_is_spoken_with_whom_the_certificate_names_and_nobody_else(
    tmp_path: Path,
) -> None:
    ours, others = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    others.cert_pem.write_to_path(tmp_path / "others.pem")
    served = ours.issue_cert("localhost")
    served.private_key_pem.write_to_path(tmp_path / "key.pem")
    served.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    ours.issue_cert("node").private_key_and_cert_chain_pem.write_to_path(tmp_path / "node.pem")
    port = find_free_port()
    options = ["--tls-port", port, "--tls-cert-file", tmp_path / "cert.pem"]
    options += ["--tls-key-file", tmp_path / "key.pem", "--tls-ca-cert-file", tmp_path / "ca.pem"]
    with run_redis(*options):
        known = f"ssl_ca_certs={tmp_path}/ca.pem&ssl_certfile={tmp_path}/node.pem"
        async with open_node(f"rediss://localhost:{port}?{known}") as store:
            await works_again(store)
        for host, query, why in [
            ("127.0.0.1", known, "IP address mismatch"),
            ("localhost", known.replace("ca.pem", "others.pem"), "verify failed"),
            ("localhost", "", "verify failed"),
            ("localhost", f"ssl_ca_certs={tmp_path}/ca.pem", ""),  # Redis asks for a certificate
        ]:
            async with open_store(f"rediss://{host}:{port}?{query}") as store:
                await fails(partial(store.open, A), f"can't reach Redis at {host}:{port}: .*{why}")


# ── what it costs those who are alone ────────────────────────────────────────────────────────────


def test_coredis_is_loaded_when_a_store_is_opened_and_not_before() -> None:
    program = """
import sys, trio, imgsync.relay.server, imgsync.relay.nodes.store as nodes
assert "coredis" not in sys.modules and "beartype" not in sys.modules

async def main():
    async with nodes.open_store("redis://127.0.0.1:1"):
        assert "coredis" in sys.modules

trio.run(main)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
