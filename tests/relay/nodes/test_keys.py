"""What stands in Redis: under which names, and for how long."""

import pytest

from imgsync.core.protocol.errors import InputError
from imgsync.core.relay.nodes.store import After, Boot, Done, Key, Part, Stale, Transaction
from imgsync.relay.nodes.keys import Keys
from imgsync.relay.nodes.store import KEPT_MS, Store, open_store
from tests.kit.processes import wait_until
from tests.kit.redis_servers import Redis, needs_redis, run_redis

A, B, C = Boot("A"), Boot("B"), Boot("C")
X, Y = Key("x"), Key("y")

PREFIX = "a:b.c"


async def use_all(a: Store, b: Store) -> None:
    """Every script, with all that it may do, and keys of all kinds left behind."""
    await a.open(A)
    await b.open(B)
    hints = b.hints()
    assert await anext(hints) is None
    everything = Transaction(
        {X: 0, Y: 0},
        {X: "text", Y: None},
        alive=frozenset({A, B}),
        joins=frozenset({(A, X), (B, X), (C, Y)}),
        leaves=frozenset({(B, Y)}),
        pushes={A: [X], B: [X, Y]},
        posts={A: [Part("x", "y")], B: [], C: [Part("x", "y")]},
        deadlines={X: After(0), Y: After(1000)},
        standings={"client": "here", "gone": None},
    )
    [done, stale] = await a.commit([everything, everything])
    assert isinstance(done, Done)
    assert isinstance(stale, Stale)
    assert await anext(hints) is not None
    await hints.aclose()
    assert await a.commit([Transaction({}, due=X, deadlines={X: After(500)})]) == [Done(0)]
    [entry] = await b.read("0-0")
    await a.probe()
    await b.renew(entry.id)
    await b.standings()
    await b.held_by(A)
    await b.leave()
    assert not await a.retire(B)
    assert not await a.retire(C)


def seconds_left(redis: Redis) -> dict[str, int]:
    """For each key; -1 where it stays for ever."""
    names = redis.call("--scan")
    return {name: int(redis.call("TTL", name)[0]) for name in names if name}


@needs_redis
async def test_no_key_stays_for_ever_and_each_has_the_prefix() -> None:
    with run_redis() as redis:
        async with (
            open_store(redis.url, prefix=PREFIX) as a,
            open_store(redis.url, prefix=PREFIX) as b,
        ):
            await use_all(a, b)
            epoch = redis.call("HGET", f"{{{PREFIX}}}:all", "epoch")[0]
            left = seconds_left(redis)
            shared = {"boots", "versions", "records", "deadlines", "standings"}
            boots = {f"held:{boot}" for boot in "ABC"} | {f"inbox:{boot}" for boot in "ABC"}
            of_epoch = {f"{{{PREFIX}}}:{epoch}:{name}" for name in shared | boots}
            assert left.keys() == {f"{{{PREFIX}}}:all", *of_epoch}
            assert all(0 < seconds <= KEPT_MS / 1000 for seconds in left.values())
            # Whoever renews a lease renews what is shared, and what is of this boot alone.
            for name in left:
                redis.call("EXPIRE", name, 100)
            await a.renew("0-0")
            soon = {name for name, seconds in seconds_left(redis).items() if seconds <= 100}
            assert soon == {
                f"{{{PREFIX}}}:{epoch}:{name}" for name in boots if not name.endswith("A")
            }


@needs_redis
async def test_a_cluster_takes_all_of_it_as_all_keys_are_in_one_slot() -> None:
    with run_redis("--cluster-enabled", "yes") as redis:
        redis.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await wait_until(
            lambda: "cluster_state:ok" in redis.call("CLUSTER", "INFO"), "the cluster's state"
        )
        async with (
            open_store(redis.url, prefix=PREFIX) as a,
            open_store(redis.url, prefix=PREFIX) as b,
        ):
            await use_all(a, b)
        slots = {redis.call("CLUSTER", "KEYSLOT", name)[0] for name in seconds_left(redis)}
        assert len(slots) == 1


def test_all_names_have_the_same_tag() -> None:
    keys = Keys("p", "e")
    names = [name for name in vars(keys).values() if isinstance(name, str)]
    assert all(name.startswith("{p}:") for name in [*names, keys.inbox(A), keys.held(A)])


@pytest.mark.parametrize("prefix", ["", "a b", "{a}", "ü", "x" * 101, "a\n"])
async def test_a_prefix_that_would_break_names_is_refused(prefix: str) -> None:
    with pytest.raises(InputError, match="can't stand before the keys in Redis; use"):
        async with open_store("redis://127.0.0.1:1", prefix=prefix):
            pass
