"""Leases, inboxes and what is published, on a real Redis."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import count

import pytest
import trio

from imgsync.core.protocol.errors import LeaseLost
from imgsync.core.relay.nodes.store import (
    ABSENT,
    UNREAD,
    After,
    Boot,
    Dead,
    Done,
    Early,
    Entry,
    Full,
    Hint,
    Key,
    Part,
    Stale,
    Stored,
    Transaction,
)
from imgsync.relay.nodes import store as module
from imgsync.relay.nodes.store import Store, open_store
from tests.kit.redis_servers import Redis, needs_redis, run_redis

pytestmark = needs_redis

A, B = Boot("A"), Boot("B")
X, Y = Key("x"), Key("y")

WAIT_S = 10

prefixes = (f"test-{number}" for number in count())


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with run_redis() as server:
        yield server


@asynccontextmanager
async def open_two(redis: Redis, *, lease: float = 10.0) -> AsyncIterator[tuple[Store, Store]]:
    """Nodes A and B, of a relay of their own.

    :param lease: of A.
    """
    prefix = next(prefixes)
    async with (
        open_store(redis.url, prefix=prefix, lease=lease) as a,
        open_store(redis.url, prefix=prefix, inbox=100_000) as b,
    ):
        await a.open(A)
        await b.open(B)
        yield a, b


def say(boot: Boot, *texts: str) -> Transaction:
    return Transaction({}, posts={boot: [Part("somebody", text) for text in texts]})


def texts_of(entries: list[Entry]) -> list[str]:
    return [part.text for entry in entries for part in entry.parts]


async def read_texts(store: Store, most: int, last: str = "0-0") -> list[str]:
    """So many of what stands in the inbox."""
    texts: list[str] = []
    with trio.fail_after(WAIT_S):
        while len(texts) < most:
            for entry in await store.read(last):
                texts += texts_of([entry])
                last = entry.id
    return texts


# ── leases ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_boot_that_does_not_renew_its_lease_is_dead_for_all_and_for_itself(
    redis: Redis,
) -> None:
    async with open_two(redis, lease=0.2) as (a, b):
        needs_a = Transaction({}, alive=frozenset({A}))
        with trio.fail_after(WAIT_S):
            while await b.commit([needs_a]) != [Dead(frozenset({A}))]:
                pass
        assert (await b.renew("0-0")).dead == [A]
        for call in (a.commit([]), a.renew("0-0"), a.probe()):
            with pytest.raises(LeaseLost, match="taken for dead"):
                await call
        assert await b.retire(A)
        assert (await b.renew("0-0")).dead == []
        with pytest.raises(LeaseLost):
            await a.commit([])
        await a.open(Boot("A again"))
        assert await a.commit([Transaction({}, alive=frozenset({B}))]) == [Done(ABSENT)]


async def test_a_lease_is_renewed_for_as_long_as_it_lasts(redis: Redis) -> None:
    async with open_two(redis) as (a, _):
        boots = a._keys.boots
        first = float(redis.call("ZSCORE", boots, A)[0])
        await a.renew("0-0")
        now = redis.call("TIME")
        renewed = float(redis.call("ZSCORE", boots, A)[0])
        assert first < renewed
        assert renewed == pytest.approx(int(now[0]) + int(now[1]) / 1e6 + 10, abs=2)


async def test_a_boot_that_leaves_is_kept_until_others_have_seen_to_its_sockets(
    redis: Redis,
) -> None:
    async with open_two(redis) as (a, b):
        await a.commit([Transaction({}, joins=frozenset({(A, X)}))])
        assert not await b.retire(A)  # lives
        await a.leave()
        assert not await b.retire(A)  # has sockets
        assert (await b.renew("0-0")).dead == [A]
        assert await b.held_by(A) == [X]
        await b.commit([Transaction({}, leaves=frozenset({(A, X)}))])
        assert await b.retire(A)
        await b.leave()
        assert redis.call("ZCARD", b._keys.boots) == ["0"]


async def test_deadlines_are_told_when_they_pass_the_first_hundred_of_them(redis: Redis) -> None:
    async with open_two(redis) as (a, _):
        names = [Key(f"{number:03}") for number in range(150)]
        await a.commit([Transaction({}, deadlines={name: After(-1000) for name in names})])
        await a.commit([Transaction({}, deadlines={X: After(30)})])
        renewal = await a.renew("0-0")
        assert renewal.due == names[:100]
        assert renewal.next_due == pytest.approx(30, abs=WAIT_S)
        assert await a.commit([Transaction({}, due=X)]) == [Early()]
        assert await a.commit([Transaction({}, due=names[0])] * 2) == [Done(ABSENT), Early()]
        assert (await a.renew("0-0")).due == names[1:101]
        nothing = dict.fromkeys([X, *names])
        await a.commit([Transaction({}, deadlines=nothing)])
        renewal = await a.renew("0-0")
        assert (renewal.due, renewal.next_due) == ([], None)


# ── inboxes ──────────────────────────────────────────────────────────────────────────────────────


async def test_all_that_one_call_says_to_a_boot_is_one_entry_put_there_by_one_script(
    redis: Redis,
) -> None:
    async with open_two(redis) as (a, b):
        await a.commit([])
        scripts, entries = redis.count("evalsha"), redis.count("xadd")
        told = [say(B, f"{number}", "more") for number in range(20)]
        written = Transaction({X: ABSENT}, {X: "text"}, pushes={B: [X]}, posts={A: []})
        answers = await a.commit([*told, written])
        assert (redis.count("evalsha"), redis.count("xadd")) == (scripts + 1, entries + 2)
        [entry] = await b.read("0-0")
        assert entry.parts == [part for one in told for part in one.posts[B]]
        assert [Done(entry.records[X].version)] == answers[20:]
        assert entry.records == {X: Stored(entry.records[X].version, "text")}
        [empty] = await a.read("0-0")
        assert (empty.records, empty.parts) == ({}, [])


async def test_what_one_node_says_comes_in_its_order_and_nothing_is_lost_between_two_reads(
    redis: Redis,
) -> None:
    heard: list[str] = []

    async with open_two(redis) as (a, b), trio.open_nursery() as nursery:

        async def talk(store: Store, name: str) -> None:
            for number in range(100):
                await store.commit([say(B, f"{name}{number:03}")])

        async def listen() -> None:
            heard.extend(await read_texts(b, 300))

        nursery.start_soon(listen)
        for store, name in [(a, "a"), (b, "b"), (a, "c")]:
            nursery.start_soon(talk, store, name)
    for name in "abc":
        own = [text for text in heard if text[0] == name]
        assert own == sorted(own)
        assert len(own) == 100


async def test_what_was_there_before_the_first_read_is_read_and_goes_when_that_is_said(
    redis: Redis,
) -> None:
    async with open_two(redis) as (a, b):
        for text in "1", "2", "3":
            await a.commit([say(B, text)])
        entries = await b.read("0-0")
        assert texts_of(entries) == ["1", "2", "3"]
        await b.renew(entries[1].id)
        assert await b.read("0-0") == entries[2:]
        await b.renew("0-0")
        assert await b.read(entries[0].id) == entries[2:]


async def test_a_read_waits_for_what_comes_and_ends_when_nothing_does(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_two(redis) as (a, b):
        with trio.move_on_after(0.05):
            await b.read("0-0")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.commit, [say(B, "now")])
            with trio.fail_after(WAIT_S):
                [entry] = await b.read("0-0")
        monkeypatch.setattr(module, "BLOCK_S", 0.05)
        assert await b.read(entry.id) == []
        await b.probe()
        b.listen_anew()
        [probed] = await b.read(entry.id)
        assert (probed.records, probed.parts) == ({}, [])


async def test_an_inbox_that_is_full_takes_nothing_until_it_was_read(redis: Redis) -> None:
    prefix = next(prefixes)
    async with (
        open_store(redis.url, prefix=prefix, inbox=2) as a,
        open_store(redis.url, prefix=prefix, inbox=2) as b,
    ):
        await a.open(A)
        await b.open(B)
        assert await a.commit([say(B, "1"), say(B, "2")]) == [Done(ABSENT)] * 2  # one entry
        assert await a.commit([say(B, "3")]) == [Done(ABSENT)]
        full = Transaction({}, {X: "never"}, posts={B: [Part("x", "4")], A: []})
        assert await a.commit([full, say(A, "5")]) == [Full(frozenset({B})), Done(ABSENT)]
        entries = await b.read("0-0")
        assert texts_of(entries) == ["1", "2", "3"]
        await b.renew(entries[0].id)
        assert await a.commit([say(B, "6")]) == [Done(ABSENT)]


async def test_very_many_transactions_at_once_are_answered_and_told_in_their_order(
    redis: Redis,
) -> None:
    async with open_two(redis) as (a, b):
        batch = [
            Transaction({Key(f"{number}"): ABSENT}, {Key(f"{number}"): "x"})
            for number in range(600)
        ]
        answers = await b.commit(
            [*batch, *(say(A, *map(str, range(n, n + 9))) for n in range(500))]
        )
        versions = [answer.version for answer in answers if isinstance(answer, Done)]
        assert len(versions) == 1100
        assert versions[:600] == list(range(versions[0], versions[0] + 600))
        expected = [str(number) for n in range(500) for number in range(n, n + 9)]
        assert await read_texts(a, len(expected)) == expected


async def test_transactions_of_one_call_see_what_those_before_them_have_done(redis: Redis) -> None:
    async with open_two(redis) as (a, _):
        [written] = await a.commit([Transaction({X: ABSENT}, {X: "text"}, deadlines={Y: After(0)})])
        assert isinstance(written, Done)
        *done, stale, early = await a.commit(
            [
                Transaction({X: written.version}, {X: None}, due=Y),
                Transaction({X: ABSENT}, {X: "again"}),
                Transaction({X: ABSENT}, {X: "never"}),
                Transaction({}, due=Y),
            ]
        )
        versions = [written.version + 1, written.version + 2]
        assert done == [Done(version) for version in versions]
        assert stale == Stale({X: Stored(versions[1], "again")})
        assert early == Early()


async def test_calls_at_the_same_time_have_each_its_own_answer_whatever_is_cancelled(
    redis: Redis,
) -> None:
    found: dict[int, str | None] = {}
    async with open_two(redis) as (a, _):
        names = [Key(f"{number}") for number in range(100)]
        await a.commit([Transaction({}, {name: f"of {name}" for name in names})])
        scopes = [trio.CancelScope() for _ in names]

        async def look(number: int) -> None:
            with scopes[number]:
                [stale] = await a.commit([Transaction({names[number]: UNREAD})])
                assert isinstance(stale, Stale)
                found[number] = stale.records[names[number]].text

        redis.freeze()
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(look, number)
            await trio.testing.wait_all_tasks_blocked()
            for scope in scopes[::3]:
                scope.cancel()
            redis.thaw()
    assert found == {number: f"of {number}" for number in range(100) if number % 3}


async def test_scripts_that_the_server_has_forgotten_are_told_again(redis: Redis) -> None:
    async with open_two(redis) as (a, b):
        redis.call("SCRIPT", "FLUSH")
        assert await a.commit([say(B, "once")]) == [Done(ABSENT)]
        assert texts_of(await b.read("0-0")) == ["once"]


# ── where clients stand ──────────────────────────────────────────────────────────────────────────


async def test_where_clients_come_to_stand_is_told_to_all_and_kept(redis: Redis) -> None:
    async with open_two(redis) as (a, b), AsyncExitStack() as stack:
        hints = [await stack.enter_async_context(aclosing(store.hints())) for store in (a, b)]
        assert [await anext(each) for each in hints] == [None, None]
        batch = [
            Transaction({}, {X: "record"}, standings={"ü": "free", "gone": None}),
            Transaction({}, {X: None}, standings={"ü": 'busy "\n\ud800', "z": ""}),
            Transaction({Y: UNREAD}, standings={"never": "told"}),
        ]
        [done, later, _] = await a.commit(batch)
        assert isinstance(done, Done)
        assert isinstance(later, Done)
        for each in hints:
            told = [await anext(each) for _ in range(4)]
            assert told == [
                Hint("ü", done.version, "free"),
                Hint("gone", done.version, None),
                Hint("ü", later.version, 'busy "\n\ud800'),
                Hint("z", later.version, ""),
            ]
        kept = {"ü": (later.version, 'busy "\n\ud800'), "z": (later.version, "")}
        assert await b.standings() == (later.version, kept)
        assert (await b.renew("0-0")).standings == later.version


async def test_thousands_of_clients_are_read_at_once(redis: Redis) -> None:
    async with open_two(redis) as (a, b):
        everybody = {f"client-{number}": f"at {number}" for number in range(3000)}
        await a.commit([Transaction({}, standings=everybody)])
        _, standings = await b.standings()
        assert {who: text for who, (_, text) in standings.items()} == everybody
