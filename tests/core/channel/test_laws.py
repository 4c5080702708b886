"""The talk on the data channel: the two sides wired back to back, and any clock."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Acked, Deliver, Drop, Superseded, Transmit
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE
from imgsync.core.protocol.signalling import Milliseconds
from tests.kit.channels import LAW, READY, hear, show, texts


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
        self.superseded: list[Image] = []
        self.copies: dict[Milliseconds, list[str]] = {}
        self.acks_due = 0
        self.acks_sent = 0

    def waiting(self) -> list[Image]:
        """For their acks, or for a channel."""
        settled = self.acked + self.superseded
        return [image for image in self.shown if image not in settled]

    def transmit_image(self, outputs: Sequence[object]) -> None:
        for output in outputs:
            assert isinstance(output, Transmit)
            assert self.is_open
            image = decode_channel(output.text)
            assert image == self.shown[-1]
            assert isinstance(image, Image)
            self.copies.setdefault(image.sent_at, []).append(output.text)
            self.to_client.append(output.text)

    @rule(index=st.integers(0, 2), tick=st.sampled_from([-1000, -1, 0, 0, 0.25, 1]))
    def show(self, index: int, tick: float) -> None:
        self.clock += tick
        image, outputs = self.presenter.show(index, ImageSource("u", "s"), self.clock)
        assert image.image_index == index
        gone = [output.image for output in outputs if isinstance(output, Superseded)]
        assert gone == ([] if self.is_open else self.waiting())
        self.superseded += gone
        assert len(outputs) == len(gone) + self.is_open
        assert not self.shown or image.sent_at > self.shown[-1].sent_at
        self.shown.append(image)
        self.transmit_image(outputs[len(gone) :])

    @rule()
    def show_what_is_too_large(self) -> None:
        with pytest.raises(MessageTooLarge):
            self.presenter.show(9, ImageSource("u", "s" * MAX_CHANNEL_MESSAGE), self.clock + 5)

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
        gone = [output.image for output in self.presenter.closed()]
        assert gone == [image for image in self.waiting() if image is not self.shown[-1]]
        self.superseded += gone
        self.to_client.clear()
        self.to_evaluator.clear()

    @precondition(lambda self: self.to_evaluator)
    @rule()
    def the_evaluator_hears(self) -> None:
        self.evaluator_hears(self.to_evaluator.popleft())

    def evaluator_hears(self, text: str) -> None:
        outputs = hear(self.presenter, text)
        if text == READY:
            assert len(outputs) == bool(self.shown)
            self.transmit_image(outputs)
            return
        [output] = outputs
        message = decode_channel(text)
        assert isinstance(message, Ack)
        if message.sent_at in [image.sent_at for image in self.acked + self.superseded]:
            assert isinstance(output, Drop)
            return
        assert isinstance(output, Acked)
        assert output.image.sent_at == message.sent_at
        assert output.image in self.shown
        assert output.ack == message
        assert output.copies == len(self.copies[message.sent_at])
        self.acked.append(output.image)

    @precondition(lambda self: self.to_client)
    @rule(at=st.integers(0, 10**13))
    def the_client_hears(self, at: int) -> None:
        self.client_hears(self.to_client.popleft(), at)

    def client_hears(self, text: str, at: int) -> None:
        [output] = hear(self.follower, text, at)
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
    def no_image_is_both_acked_and_superseded(self) -> None:
        settled = [image.sent_at for image in self.acked + self.superseded]
        assert len(settled) == len(set(settled))
        assert not self.shown or self.shown[-1] not in self.superseded

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
        assert self.waiting() == []


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
