"""Answers of the participant: told until they are acknowledged, heard once, and not without end."""

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Drop, Responded, Transmit
from imgsync.core.channel.presenter import Presenter
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, Response, ResponseAck, ResponseKind
from imgsync.core.protocol.numbers import MAX_RESPONSES, MAX_RESPONSES_KEPT, MAX_SETTLED
from tests.kit.channels import LAW, READY, hear, show, texts

KEY = Response(1, 5, 1, 7.5, ResponseKind.KEY, "f", 500, 17)
ACK = ResponseAck(1, 5, 1)


def open_presenter() -> Presenter:
    presenter = Presenter()
    presenter.opened()
    return presenter


def answer(presenter: Presenter, said: Response) -> list[object]:
    """What is heard of an answer, which is acknowledged in any case."""
    acked, *told = hear(presenter, encode_channel(said))
    assert isinstance(acked, Transmit)
    assert acked.image is None
    assert decode_channel(acked.text) == ResponseAck(said.image_index, said.sent_at, said.number)
    return told


def said_again(follower: Follower) -> list[object]:
    ready, *again = texts(follower.opened())
    assert ready == READY
    return [decode_channel(text) for text in again]


# ── the evaluator's side ─────────────────────────────────────────────────────────────────────────


def test_an_answer_is_told_once_and_each_copy_is_acknowledged() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert answer(presenter, KEY) == [Responded(image, KEY)]
    assert isinstance(answer(presenter, KEY)[0], Drop)
    presenter.closed()
    presenter.opened()
    assert isinstance(answer(presenter, KEY)[0], Drop)


def test_a_page_that_is_loaded_again_counts_from_one_again() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    again = attrs.evolve(KEY, at=9.5)
    assert answer(presenter, KEY) == [Responded(image, KEY)]
    assert answer(presenter, again) == [Responded(image, again)]


@pytest.mark.parametrize(
    "wrong", [attrs.evolve(KEY, image_index=2), attrs.evolve(KEY, sent_at=4)], ids=["index", "time"]
)
def test_an_answer_to_what_was_not_shown_is_acknowledged_and_dropped(wrong: Response) -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    assert isinstance(answer(presenter, wrong)[0], Drop)


def test_an_answer_may_come_after_the_next_image_and_not_once_its_own_is_forgotten() -> None:
    presenter = open_presenter()
    first = show(presenter, 0, 1)
    hear(presenter, encode_channel(Ack(first.sent_at, 9)))
    late = Response(0, 1, 1, 7, ResponseKind.KEY, "f")
    for index in range(1, MAX_SETTLED):
        image = show(presenter, index, 1 + index)
        hear(presenter, encode_channel(Ack(image.sent_at, 9)))
    assert answer(presenter, late) == [Responded(first, late)]
    image = show(presenter, MAX_SETTLED, MAX_SETTLED + 1)
    hear(presenter, encode_channel(Ack(image.sent_at, 9)))
    assert isinstance(answer(presenter, attrs.evolve(late, number=2))[0], Drop)


def test_who_answers_without_end_is_heard_so_far_and_told_so_by_nobody_else() -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    heard = [answer(presenter, attrs.evolve(KEY, number=1 + n))[0] for n in range(300)]
    # The last one may be that there were more.
    assert [isinstance(one, Responded) for one in heard].index(False) == MAX_RESPONSES + 1
    other = show(presenter, 2, 6)
    said = attrs.evolve(KEY, image_index=2, sent_at=6)
    assert answer(presenter, said) == [Responded(other, said)]


# ── the client's side ────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_told_again_on_each_channel_until_it_is_acknowledged() -> None:
    follower = Follower()
    other = attrs.evolve(KEY, number=2, at=8)
    for said in (KEY, other):
        assert texts(follower.responded(said)) == [encode_channel(said)]
    assert said_again(follower) == [KEY, other]
    for unknown in (ResponseAck(1, 5, 9), ResponseAck(2, 5, 1), ResponseAck(1, 6, 1)):
        assert hear(follower, encode_channel(unknown)) == []
    assert hear(follower, encode_channel(ACK)) == []
    assert said_again(follower) == [other]


def test_of_too_many_answers_to_one_showing_it_is_said_once_that_there_are_more() -> None:
    follower = Follower()
    taps = attrs.evolve(KEY, kind=ResponseKind.TAP, value="picture", x=1, y=2)
    told = [follower.responded(attrs.evolve(taps, number=1 + n, at=7 + n)) for n in range(300)]
    said = [decode_channel(text) for outputs in told for text in texts(outputs)]
    assert len(said) == MAX_RESPONSES + 1
    assert said[-2] == attrs.evolve(taps, number=MAX_RESPONSES, at=6 + MAX_RESPONSES)
    last = (MAX_RESPONSES + 1, 7 + MAX_RESPONSES)
    assert said[-1] == Response(1, 5, *last, ResponseKind.TOO_MANY, "")
    # Acknowledging them changes nothing of that; another showing has its own.
    for number in range(1, 300):
        hear(follower, encode_channel(ResponseAck(1, 5, number)))
    assert follower.responded(attrs.evolve(KEY, number=301)) == []
    assert follower.responded(attrs.evolve(KEY, number=302, sent_at=6)) != []


def test_an_evaluator_that_acknowledges_nothing_does_not_make_the_client_grow() -> None:
    follower = Follower()
    for number in range(1, MAX_RESPONSES_KEPT + 3):
        follower.responded(attrs.evolve(KEY, number=number, sent_at=number))
    again = said_again(follower)
    assert len(again) == MAX_RESPONSES_KEPT
    assert again[0] == attrs.evolve(KEY, number=3, sent_at=3)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(st.sampled_from([0, 1, 2, "hear", "acks", "lose", "open"]), max_size=40)


@given(STEPS)
@LAW
def test_each_answer_is_heard_once_however_the_channel_comes_and_goes(
    steps: list[int | str],
) -> None:
    presenter, follower = open_presenter(), Follower()
    images: list[Image] = [show(presenter, index, index) for index in range(3)]
    clock = itertools.count(1)
    made: list[Response] = []
    heard: list[Response] = []
    there: list[str] = []
    acks: list[str] = []

    def hear_all() -> None:
        while there:
            for output in hear(presenter, there.pop(0)):
                match output:
                    case Responded(_, said):
                        heard.append(said)
                    case Transmit(text, None):
                        acks.append(text)

    for step in [*steps, "lose", "open", "hear", "acks"]:
        match step:
            case "hear":
                hear_all()
            case "acks":
                while acks:
                    hear(follower, acks.pop(0))
            case "lose":
                there.clear()
                acks.clear()
            case "open":
                presenter.closed()
                presenter.opened()
                there += texts(follower.opened())[1:]
            case int():
                image, number = images[step], next(clock)
                at = number * 10
                made.append(Response(step, image.sent_at, number, at, ResponseKind.KEY, "f"))
                there += texts(follower.responded(made[-1]))
    assert sorted(heard, key=lambda one: one.number) == made
    assert said_again(follower) == []
