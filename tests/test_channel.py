"""The talk on the data channel: each side alone, and the two wired back to back."""

import itertools
import json
import math
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.channel import MAX_UNACKED, Acked, Deliver, Drop, Follower, Presenter, Transmit
from imgsync.core.codec import MAX_CHANNEL_MESSAGE, decode_channel, encode_channel
from imgsync.core.errors import MessageTooLarge
from imgsync.core.messages import Ack, Image, Milliseconds, Ready

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
READY = encode_channel(Ready())
NOT_FOR_ANYBODY = ["", "{", "[]", "7", '{"type":"dance"}', '{"type":"ack"}', '{"imageIndex":1}']


def open_presenter() -> Presenter:
    presenter = Presenter()
    presenter.opened()
    return presenter


def show(presenter: Presenter, index: int, now: float) -> Image:
    image, _ = presenter.show(index, f"{index}.png", f"{index}.png?sig", now)
    return image


def ack(image: Image, at: Milliseconds = 9, index: int | None = None) -> str:
    return encode_channel(Ack(image.sent_at, at, index))


def texts(outputs: list[Transmit]) -> list[str]:
    return [output.text for output in outputs]


def is_dropped(outputs: list[Transmit | Acked | Drop] | list[Transmit | Deliver | Drop]) -> bool:
    match outputs:
        case [Drop(why)]:
            return bool(why)
    return False


# ── the evaluator's side ─────────────────────────────────────────────────────────────────────────


def test_an_image_is_sent_at_once_on_an_open_channel() -> None:
    image, outputs = open_presenter().show(3, "https://a/3.png", "https://a/3.png?sig", 5.5)
    assert image == Image(3, "https://a/3.png", "https://a/3.png?sig", 5.5)
    assert [decode_channel(text) for text in texts(outputs)] == [image]


def test_an_image_waits_for_the_channel_to_open() -> None:
    presenter = Presenter()
    assert presenter.opened() == []
    presenter.closed()
    image, outputs = presenter.show(1, "1.png", "1.png?sig", 5)
    assert outputs == []
    assert [decode_channel(text) for text in texts(presenter.opened())] == [image]


def test_nothing_is_sent_before_there_is_an_image() -> None:
    assert open_presenter().received(READY) == []


def test_nothing_is_sent_on_a_closed_channel() -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    presenter.closed()
    assert presenter.received(READY) == []
    assert presenter.show(2, "2.png", "2.png?sig", 6)[1] == []


def test_every_ready_and_every_new_channel_gets_the_very_same_payload() -> None:
    presenter = open_presenter()
    _, first = presenter.show(1, "1.png", "1.png?sig", 1700000000000.125)
    assert presenter.received(READY) == first
    presenter.closed()
    assert presenter.opened() == first
    assert presenter.received(READY) == first
    assert presenter.received(READY) == first


def test_the_current_image_is_the_last_one_shown() -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    _, last = presenter.show(2, "2.png", "2.png?sig", 6)
    assert presenter.received(READY) == last
    presenter.closed()
    show(presenter, 3, 7)
    [text] = texts(presenter.opened())
    assert json.loads(text)["imageIndex"] == 3


@pytest.mark.parametrize("clock", [[5, 5, 5, 5], [5, 4, 3, -1], [5, 9, 9, 8], [5.5, 5.5, 5.25, 5]])
def test_sent_at_is_never_used_twice_even_if_the_clock_stands_still_or_goes_back(
    clock: list[float],
) -> None:
    presenter = open_presenter()
    times = [show(presenter, 1, now).sent_at for now in clock]
    assert times == sorted(set(times))
    assert times[-1] - max(clock) < 0.01


def test_sent_at_is_the_clock_where_the_clock_goes_on() -> None:
    presenter = open_presenter()
    assert [show(presenter, 1, now).sent_at for now in (1700000000000, 1700000000000.25)] == [
        1700000000000,
        1700000000000.25,
    ]


def test_an_ack_is_tied_to_its_image_with_the_number_of_copies_until_then() -> None:
    presenter = open_presenter()
    first, second = show(presenter, 1, 5), show(presenter, 2, 6)
    presenter.received(READY)
    presenter.received(READY)
    assert presenter.received(ack(second, 70.5)) == [Acked(second, 70.5, copies=3)]
    assert presenter.received(ack(first, 80)) == [Acked(first, 80, copies=1)]


def test_only_the_first_ack_counts() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    presenter.received(ack(image))
    assert is_dropped(presenter.received(ack(image)))
    presenter.received(READY)
    assert is_dropped(presenter.received(ack(image)))


@pytest.mark.parametrize("sent_at", [4, 5.5, 0, -5, 1e300])
def test_an_ack_of_no_image_is_dropped(sent_at: Milliseconds) -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(presenter.received(encode_channel(Ack(sent_at, 9))))
    assert presenter.received(ack(image)) == [Acked(image, 9, copies=1)]


def test_an_ack_with_another_index_is_dropped_and_the_image_waits_on() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(presenter.received(ack(image, index=2)))
    assert presenter.received(ack(image, index=1)) == [Acked(image, 9, copies=1)]


def test_a_message_that_is_too_large_is_refused_and_the_current_image_stays() -> None:
    presenter = open_presenter()
    with pytest.raises(MessageTooLarge):
        presenter.show(1, "x" * MAX_CHANNEL_MESSAGE, "", 4)
    assert presenter.received(READY) == []
    image, sent = presenter.show(2, "2.png", "2.png?sig", 5)
    for url in ("x" * MAX_CHANNEL_MESSAGE, "é" * (MAX_CHANNEL_MESSAGE // 4)):
        with pytest.raises(MessageTooLarge):
            presenter.show(3, url, "", 6)
    assert presenter.received(READY) == sent
    assert is_dropped(presenter.received(encode_channel(Ack(6, 9))))
    assert presenter.received(ack(image)) == [Acked(image, 9, copies=2)]
    assert show(presenter, 4, 6).sent_at == 6


def test_a_peer_that_acks_nothing_makes_us_forget_the_oldest() -> None:
    presenter = open_presenter()
    images = [show(presenter, number, number) for number in range(MAX_UNACKED + 1)]
    assert is_dropped(presenter.received(ack(images[0])))
    for image in images[1:]:
        assert presenter.received(ack(image)) == [Acked(image, 9, copies=1)]


@pytest.mark.parametrize("text", [*NOT_FOR_ANYBODY, encode_channel(Image(1, "u", "s", 5)), b"{}"])
def test_what_is_not_for_an_evaluator_is_dropped(text: str | bytes) -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(presenter.received(text))
    assert presenter.received(ack(image)) == [Acked(image, 9, copies=1)]


# ── the client's side ────────────────────────────────────────────────────────────────────────────


def image_text(index: int = 1, sent_at: str = "5") -> str:
    return f'{{"imageIndex":{index},"imageUrl":"u","signedUrl":"s","sentAt":{sent_at}}}'


def deliver(follower: Follower, text: str, at: Milliseconds) -> Deliver:
    [delivery] = follower.received(text, at)
    assert isinstance(delivery, Deliver)
    return delivery


def test_a_client_says_ready_on_every_channel() -> None:
    follower = Follower()
    assert texts(follower.opened()) == texts(follower.opened()) == [READY]


def test_an_image_goes_to_the_application_and_the_ack_when_it_was_taken() -> None:
    follower = Follower()
    delivery = deliver(follower, image_text(3), at=7.5)
    assert delivery == Deliver(Image(3, "u", "s", 5), 7.5)
    is_new, sent = follower.taken(delivery)
    assert is_new
    assert decode_channel(sent.text) == Ack(5, 7.5, 3)


def test_a_copy_is_acked_every_time_and_shown_once() -> None:
    follower = Follower()
    follower.taken(deliver(follower, image_text(), at=7))
    for at in (8, 9):
        [again] = follower.received(image_text(), at)
        assert again == Transmit(encode_channel(Ack(5, at, 1)))


def test_a_copy_that_comes_before_the_first_was_taken_is_acked_and_not_new() -> None:
    follower = Follower()
    first, second = (deliver(follower, image_text(), at) for at in (7, 8))
    assert follower.taken(first) == (True, Transmit(encode_channel(Ack(5, 7, 1))))
    assert follower.taken(second) == (False, Transmit(encode_channel(Ack(5, 8, 1))))


def test_the_same_index_sent_anew_is_a_new_showing() -> None:
    follower = Follower()
    for sent_at in ("5", "6", "6.5"):
        is_new, _ = follower.taken(deliver(follower, image_text(1, sent_at), at=9))
        assert is_new


def test_another_index_is_another_image_though_it_was_sent_at_the_same_time() -> None:
    follower = Follower()
    for index in (1, 2):
        is_new, _ = follower.taken(deliver(follower, image_text(index), at=9))
        assert is_new


@pytest.mark.parametrize("sent_at", ["1700000000000", "1700000000000.0", "1700000000000.125", "-1"])
def test_the_ack_repeats_sent_at_to_the_digit(sent_at: str) -> None:
    follower = Follower()
    _, sent = follower.taken(deliver(follower, image_text(1, sent_at), at=9))
    assert f'"sentAt":{sent_at},' in sent.text
    [again] = follower.received(image_text(1, sent_at), 10)
    assert isinstance(again, Transmit)
    assert f'"sentAt":{sent_at},' in again.text


@pytest.mark.parametrize("text", [*NOT_FOR_ANYBODY, READY, encode_channel(Ack(1, 2)), b"{}"])
def test_what_is_not_for_a_client_is_dropped(text: str | bytes) -> None:
    follower = Follower()
    follower.taken(deliver(follower, image_text(), at=7))
    assert is_dropped(follower.received(text, 8))
    assert len(follower.received(image_text(), 9)) == 1


@given(st.text() | st.binary(), st.floats(allow_nan=False, allow_infinity=False))
@LAW
def test_neither_side_is_disturbed_by_anything_that_comes_in(text: str | bytes, at: float) -> None:
    assert is_dropped(open_presenter().received(text))
    assert is_dropped(Follower().received(text, at))


# ── back to back ─────────────────────────────────────────────────────────────────────────────────


class BackToBack(RuleBasedStateMachine):
    """A presenter and a follower, with a channel between them that comes and goes.

    The channel keeps order and loses nothing but what is on its way when it goes.
    """

    @initialize(start=st.sampled_from([0, 5, 1700000000000, 1700000000000.5]))
    def begin(self, start: float) -> None:
        self.presenter, self.follower = Presenter(), Follower()
        self.clock: float = start
        self.is_open = False
        self.to_client: deque[str] = deque()
        self.to_evaluator: deque[str] = deque()
        self.delivered: deque[Deliver] = deque()
        self.shown: list[Image] = []
        self.seen: list[Image] = []
        self.acked: list[Image] = []
        self.copies: dict[Milliseconds, list[str]] = {}
        self.acks_due = 0
        self.acks_sent = 0

    def transmit_image(self, outputs: list[Transmit]) -> None:
        for output in outputs:
            assert self.is_open
            image = decode_channel(output.text)
            assert image == self.shown[-1]
            assert isinstance(image, Image)
            self.copies.setdefault(image.sent_at, []).append(output.text)
            self.to_client.append(output.text)

    @rule(index=st.integers(0, 2), tick=st.sampled_from([-1000, -1, 0, 0, 0.25, 1]))
    def show(self, index: int, tick: float) -> None:
        self.clock += tick
        image, outputs = self.presenter.show(index, "u", "s", self.clock)
        assert image.image_index == index
        assert len(outputs) == self.is_open
        assert not self.shown or image.sent_at > self.shown[-1].sent_at
        self.shown.append(image)
        self.transmit_image(outputs)

    @rule()
    def show_what_is_too_large(self) -> None:
        with pytest.raises(MessageTooLarge):
            self.presenter.show(9, "u", "s" * MAX_CHANNEL_MESSAGE, self.clock + 5)

    @precondition(lambda self: not self.is_open)
    @rule(client_first=st.booleans())
    def open(self, client_first: bool) -> None:
        self.is_open = True
        sides: list[Callable[[], None]] = [self.open_evaluator, self.open_client]
        for side in reversed(sides) if client_first else sides:
            side()

    def open_evaluator(self) -> None:
        outputs = self.presenter.opened()
        assert len(outputs) == bool(self.shown)
        self.transmit_image(outputs)

    def open_client(self) -> None:
        self.to_evaluator += texts(self.follower.opened())

    @precondition(lambda self: self.is_open)
    @rule()
    def close(self) -> None:
        self.is_open = False
        self.presenter.closed()
        self.to_client.clear()
        self.to_evaluator.clear()

    @precondition(lambda self: self.to_evaluator)
    @rule()
    def the_evaluator_hears(self) -> None:
        self.evaluator_hears(self.to_evaluator.popleft())

    def evaluator_hears(self, text: str) -> None:
        outputs = self.presenter.received(text)
        if text == READY:
            assert len(outputs) == bool(self.shown)
            self.transmit_image([output for output in outputs if isinstance(output, Transmit)])
            return
        [output] = outputs
        message = decode_channel(text)
        assert isinstance(message, Ack)
        if message.sent_at in [image.sent_at for image in self.acked]:
            assert isinstance(output, Drop)
            return
        assert isinstance(output, Acked)
        assert output.image.sent_at == message.sent_at
        assert output.image in self.shown
        assert output.received_at == message.received_at
        assert output.copies == len(self.copies[message.sent_at])
        self.acked.append(output.image)

    @precondition(lambda self: self.to_client)
    @rule(at=st.integers(0, 10**13))
    def the_client_hears(self, at: int) -> None:
        self.client_hears(self.to_client.popleft(), at)

    def client_hears(self, text: str, at: int) -> None:
        [output] = self.follower.received(text, at)
        self.acks_due += 1
        if isinstance(output, Deliver):
            self.delivered.append(output)
        else:
            assert isinstance(output, Transmit)
            self.client_acks(output, text, at)

    def client_acks(self, output: Transmit, text: str, at: Milliseconds) -> None:
        image = decode_channel(text)
        assert isinstance(image, Image)
        assert output.text == encode_channel(Ack(image.sent_at, at, image.image_index))
        self.acks_sent += 1
        if self.is_open:
            self.to_evaluator.append(output.text)

    @precondition(lambda self: self.delivered)
    @rule()
    def the_application_takes(self) -> None:
        delivery = self.delivered.popleft()
        is_new, output = self.follower.taken(delivery)
        assert is_new == (delivery.image not in self.seen)
        if is_new:
            self.seen.append(delivery.image)
        self.client_acks(output, encode_channel(delivery.image), delivery.received_at)

    @invariant()
    def all_copies_of_an_image_are_the_same_to_the_letter(self) -> None:
        for copies in self.copies.values():
            assert len(set(copies)) == 1

    @invariant()
    def each_image_is_seen_once_and_in_order(self) -> None:
        times = [image.sent_at for image in self.seen]
        assert times == sorted(set(times))
        assert all(image in self.shown for image in self.seen)

    @invariant()
    def every_copy_is_acked(self) -> None:
        assert self.acks_sent + len(self.delivered) == self.acks_due

    def teardown(self) -> None:
        """On a channel that stays, what is current is seen and acked in the end."""
        if not hasattr(self, "shown"):
            return
        if not self.is_open:
            self.open(client_first=False)
        while self.to_client or self.to_evaluator or self.delivered:
            if self.to_client:
                self.client_hears(self.to_client.popleft(), 1)
            if self.delivered:
                self.the_application_takes()
            if self.to_evaluator:
                self.evaluator_hears(self.to_evaluator.popleft())
        assert self.seen[-1:] == self.acked[-1:] == self.shown[-1:]


BackToBack.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_what_is_current_is_seen_once_and_acked_however_the_channel_comes_and_goes = BackToBack.TestCase


@given(st.lists(st.floats(-1e300, 1e300) | st.integers(0, 2**53), min_size=1, max_size=20))
@LAW
def test_sent_at_grows_whatever_the_clock_says(clock: list[float]) -> None:
    presenter = Presenter()
    times = [show(presenter, 1, now).sent_at for now in clock]
    assert all(before < after for before, after in itertools.pairwise(times))
    assert all(math.isfinite(time) for time in times)
    assert all(time >= now for time, now in zip(times, clock, strict=True))
