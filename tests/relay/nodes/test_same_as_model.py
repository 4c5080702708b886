"""What Redis keeps, and answers, is what the model does, whatever two nodes have carried out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsync.core.protocol.errors import EpochLost, LeaseLost
from imgsync.core.relay.nodes.store import (
    ABSENT,
    UNREAD,
    After,
    Answer,
    At,
    Boot,
    Done,
    Entry,
    Key,
    Part,
    Stale,
    Stored,
    Transaction,
)
from imgsync.relay.nodes.store import Store, open_store
from tests.kit.model_store import ModelStore
from tests.kit.redis_servers import Redis, needs_redis, run_redis

pytestmark = needs_redis

BOOTS = [Boot("one"), Boot("twö"), Boot("nobody")]
KEYS = [Key("a"), Key('k "ü" \n'), Key("p w\\"), Key("1")]
MOST = 2

# Moments that lie far apart, so that it does not matter how long a test takes.
FAR = 1_000_000
DEADLINES = [After(-1000), After(1000), At(1.5), At(time.time() + FAR), None]

# What a node may claim to know of a record, besides what there is.
CURRENT, OLD = "current", "old"

keys = st.sampled_from(KEYS)
boots = st.sampled_from(BOOTS)
texts = st.sampled_from(["", "text", '{"a": "\\u0000 \\ud83d"}', "\0\r\n$5", "ü\ud800", "x" * 7000])
parts = st.lists(st.builds(Part, keys, texts), max_size=3)
pairs = st.frozensets(st.tuples(boots, keys), max_size=2)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """What it claims of versions is filled in when it is carried out."""
    knows = st.sampled_from([CURRENT] * 12 + [OLD, UNREAD] + [ABSENT] * 4)
    reads: Any = draw(st.dictionaries(keys, knows, max_size=2))
    writes = draw(st.dictionaries(keys, st.none() | texts, max_size=2))
    pushed = st.lists(st.sampled_from(sorted(writes)), max_size=2) if writes else st.just([])
    return Transaction(
        reads,
        writes,
        alive=draw(st.frozensets(st.sampled_from([*BOOTS[:2] * 4, BOOTS[2]]), max_size=1)),
        joins=draw(pairs),
        leaves=draw(pairs),
        pushes=draw(st.dictionaries(boots, pushed, max_size=2)),
        posts=draw(st.dictionaries(boots, parts, max_size=2)),
        deadlines=draw(st.dictionaries(st.sampled_from(KEYS[:2]), st.sampled_from(DEADLINES))),
        due=draw(st.sampled_from([None, None, *KEYS[:2]])),
        standings=draw(st.dictionaries(keys, st.none() | texts, max_size=2)),
    )


STEPS = (
    ["commit"] * 10
    + ["renew", "read"] * 2
    + ["held", "standings", "probe", "leave", "leave", "open"]
)
steps = st.lists(
    st.tuples(
        st.sampled_from([*STEPS, "retire", "forget"]),
        st.sampled_from([0, 1]),
        boots,
        st.lists(transactions(), max_size=4),
    ),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with run_redis() as server:
        yield server


@attrs.define
class Both:
    """The two, and what of the one is what of the other."""

    stores: list[Store]
    redis: Redis
    model: ModelStore = attrs.field(factory=lambda: ModelStore(MOST, now=time.time()))
    #: The epochs of the nodes, as the model has them.
    epochs: list[int] = attrs.field(factory=lambda: [0, 0])
    #: The model's versions, by those of Redis.
    versions: dict[int, int] = attrs.field(factory=lambda: {ABSENT: ABSENT})
    greatest: int = 0
    #: The model's ids of entries, by boot and by those of Redis.
    ids: dict[tuple[Boot, str], str] = attrs.field(factory=dict)

    async def do(self, step: str, node: int, boot: Boot, batch: list[Transaction]) -> None:
        store, own, model = self.stores[node], BOOTS[node], self.model
        model.now += 0.001
        is_current = self.epochs[node] == model.epoch and model.version > 0
        if step == "forget":
            self.redis.flush()
            model.forget_all()
            self.versions, self.ids = {ABSENT: ABSENT}, {}
        elif step == "open":
            await store.open(own)
            self.epochs[node] = model.open(own)
        elif not is_current:
            call = store.held_by(boot) if step == "held" else store.commit(batch)
            with pytest.raises(EpochLost):
                await call
        elif step in ("commit", "renew", "probe") and not model.lives(own):
            with pytest.raises(LeaseLost):
                await (store.renew("0-0") if step == "renew" else store.commit([]))
        else:
            await getattr(self, step)(node, boot, batch)

    async def commit(self, node: int, boot: Boot, batch: list[Transaction]) -> None:
        claimed = [self._claim(one) for one in batch]
        theirs = {model: redis for redis, model in self.versions.items()} | {UNREAD: UNREAD}
        for_redis = [
            attrs.evolve(one, reads={key: theirs.get(v, 7) for key, v in one.reads.items()})
            for one in claimed
        ]
        expected = self.model.commit(BOOTS[node], self.epochs[node], claimed)
        answers = await self.stores[node].commit(for_redis)
        for ours, there in zip(expected, answers, strict=True):
            if isinstance(ours, Done) and isinstance(there, Done) and ours.version:
                assert there.version > self.greatest
                self.greatest = there.version
                self.versions[there.version] = ours.version
        assert [self._translate(answer) for answer in answers] == expected
        for held_by in {boot, BOOTS[node]}:
            await self.held(node, held_by, [])
        await self.renew(node, BOOTS[node], [])

    def _claim(self, one: Transaction) -> Transaction:
        now = {key: self.model.records.get(key, Stored(ABSENT)).version for key in KEYS}
        claims: Mapping[Any, Any] = {CURRENT: None, OLD: self.model.version}
        reads = {key: claims.get(how, how) for key, how in one.reads.items()}
        known = {key: now[key] if how is None else how for key, how in reads.items()}
        return attrs.evolve(one, reads=known)

    def _translate(self, answer: Answer) -> Answer:
        match answer:
            case Done(version):
                return Done(self.versions[version])
            case Stale(records):
                return Stale({key: self._stored(stored) for key, stored in records.items()})
            case _:
                return answer

    def _stored(self, stored: Stored) -> Stored:
        return Stored(self.versions[stored.version], stored.text)

    async def renew(self, node: int, _: Boot, batch: list[Transaction]) -> None:
        own = BOOTS[node]
        known = [(mine, there) for (boot, there), mine in self.ids.items() if boot == own]
        mine, there = known[len(batch) % len(known)] if known and batch else ("0", "0-0")
        expected = self.model.renew(own, self.epochs[node], mine)
        renewal = await self.stores[node].renew(there)
        renewal = attrs.evolve(renewal, standings=self.versions[renewal.standings])
        seconds = renewal.next_due and pytest.approx(renewal.next_due, abs=100)
        assert attrs.evolve(renewal, next_due=None) == attrs.evolve(expected, next_due=None)
        assert expected.next_due == seconds

    async def read(self, node: int, _: Boot, __: list[Transaction]) -> None:
        own = BOOTS[node]
        inbox = self.model.inboxes.get(own)
        if inbox:  # what is not there is waited for
            entries = await self.stores[node].read("0-0")
            for ours, there in zip(inbox, entries, strict=True):
                self.ids[own, there.id] = ours.id
            assert [self._entry(own, entry) for entry in entries] == inbox

    def _entry(self, boot: Boot, entry: Entry) -> Entry:
        records = {key: self._stored(stored) for key, stored in entry.records.items()}
        return Entry(self.ids[boot, entry.id], records, entry.parts)

    async def held(self, node: int, boot: Boot, _: list[Transaction]) -> None:
        assert await self.stores[node].held_by(boot) == self.model.held_by(boot)

    async def standings(self, node: int, _: Boot, __: list[Transaction]) -> None:
        version, standings = await self.stores[node].standings()
        found = {who: (self.versions[v], text) for who, (v, text) in standings.items()}
        assert (self.versions[version], found) == (self.model.changed, self.model.standings)

    async def probe(self, node: int, _: Boot, __: list[Transaction]) -> None:
        await self.stores[node].probe()
        self.model._entries += 1
        inbox = self.model.inboxes.setdefault(BOOTS[node], [])
        inbox.append(Entry(str(self.model._entries), {}, []))

    async def leave(self, node: int, _: Boot, __: list[Transaction]) -> None:
        await self.stores[node].leave()
        self.model.leave(BOOTS[node])

    async def retire(self, node: int, boot: Boot, _: list[Transaction]) -> None:
        assert await self.stores[node].retire(boot) == self.model.retire(boot)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
async def test_redis_answers_as_the_model_does(redis: Redis, steps: list[Any]) -> None:
    redis.flush()
    async with (
        open_store(redis.url, inbox=MOST) as one,
        open_store(redis.url, inbox=MOST) as other,
    ):
        both = Both([one, other], redis)
        for node in (0, 1):
            await both.do("open", node, BOOTS[0], [])
        for step in steps:
            await both.do(*step)
        for step, node in [("open", 0), ("standings", 0), ("read", 0), ("held", 0), ("renew", 0)]:
            await both.do(step, node, BOOTS[0], [])
