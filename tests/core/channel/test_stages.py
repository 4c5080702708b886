"""What becomes of images, told by a follower and heard by a presenter."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Drop, Forgotten, NeverShown, Staged, Superseded
from imgsync.core.channel.presenter import Presenter
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, Stage, StageKind
from imgsync.core.protocol.numbers import HIDDEN_TAB, MAX_SETTLED, MAX_STAGES
from tests.kit.channels import LAW, READY, hear, show, staged, texts

FETCHED, SHOWN, HIDDEN, FAILED = StageKind


def open_presenter() -> Presenter:
    presenter = Presenter()
    presenter.opened()
    return presenter


def shown_and_acked(presenter: Presenter, index: int) -> Image:
    image = show(presenter, index, index)
    hear(presenter, encode_channel(Ack(image.sent_at, 9)))
    return image


def tell(
    presenter: Presenter, image: Image, kind: StageKind, at: float = 7.5, reason: str | None = None
) -> list[object]:
    said = Stage(image.image_index, image.sent_at, kind, at, reason)
    return list(hear(presenter, encode_channel(said)))


# ── the evaluator's side ─────────────────────────────────────────────────────────────────────────


def test_each_stage_of_a_showing_is_told_once_with_its_time_and_reason() -> None:
    presenter = open_presenter()
    image = shown_and_acked(presenter, 1)
    assert tell(presenter, image, FETCHED) == [staged(image, FETCHED, 7.5, None)]
    assert tell(presenter, image, FAILED, 8, "decode") == [staged(image, FAILED, 8, "decode")]
    for kind, at in ((FETCHED, 7.5), (FAILED, 8)):
        assert isinstance(tell(presenter, image, kind, at)[0], Drop)


def test_an_image_that_is_hidden_and_seen_again_is_told_of_each_time() -> None:
    presenter = open_presenter()
    image = shown_and_acked(presenter, 1)
    stages = [(SHOWN, 5.0), (HIDDEN, 6.0), (SHOWN, 7.0), (HIDDEN, 8.0)]
    for kind, at in stages * 2:  # as a client says them again on a new channel
        tell(presenter, image, kind, at, None)
    again = [tell(presenter, image, kind, at) for kind, at in stages]
    assert all(isinstance(outputs[0], Drop) for outputs in again)
    assert tell(presenter, image, HIDDEN, 9) == [staged(image, HIDDEN, 9, None)]


def test_a_client_that_tells_of_one_showing_without_end_is_heard_so_far_and_no_further() -> None:
    presenter = open_presenter()
    image = shown_and_acked(presenter, 1)
    heard = [tell(presenter, image, HIDDEN, at)[0] for at in range(MAX_STAGES + 1)]
    assert [isinstance(output, Staged) for output in heard] == [True] * MAX_STAGES + [False]


def test_a_stage_may_come_before_the_ack_and_after_the_next_image() -> None:
    presenter = open_presenter()
    first = show(presenter, 1, 5)
    assert tell(presenter, first, SHOWN) == [staged(first, SHOWN, 7.5, None)]
    show(presenter, 2, 6)
    assert tell(presenter, first, HIDDEN) == [staged(first, HIDDEN, 7.5, None)]


def test_a_stage_of_another_image_or_of_a_kind_that_is_unknown_is_dropped() -> None:
    presenter = open_presenter()
    image = shown_and_acked(presenter, 1)
    nobodys = Image(1, "u", "s", 4)
    other_index = Image(2, "u", "s", image.sent_at)
    for wrong in (nobodys, other_index):
        [output] = tell(presenter, wrong, SHOWN)
        assert isinstance(output, Drop)
    for text in (
        '{"type":"stage","imageIndex":1,"sentAt":1,"stage":"admired","at":2}',
        '{"type":"stage","imageIndex":1,"sentAt":1,"stage":"shown"}',
        encode_channel(Stage(1, 1, FAILED, 2, "x" * 129)),
    ):
        [output] = hear(presenter, text)
        assert isinstance(output, Drop)
    assert tell(presenter, image, SHOWN) == [staged(image, SHOWN, 7.5, None)]


def test_what_was_not_shown_before_a_later_one_never_will_be() -> None:
    presenter = open_presenter()
    shown, failed, silent, fetched, last = (shown_and_acked(presenter, n) for n in range(1, 6))
    tell(presenter, shown, SHOWN)
    tell(presenter, failed, FAILED, reason="timeout")
    tell(presenter, fetched, FETCHED)
    assert tell(presenter, last, SHOWN) == [
        staged(last, SHOWN, 7.5, None),
        NeverShown(silent),
        NeverShown(fetched),
    ]
    # Said all the same, it is passed on.
    assert tell(presenter, silent, FAILED, 9, "superseded") == [
        staged(silent, FAILED, 9, "superseded")
    ]
    again = shown_and_acked(presenter, 6)
    assert tell(presenter, again, SHOWN) == [staged(again, SHOWN, 7.5, None)]


def test_a_superseded_image_that_came_through_after_all_is_told_of() -> None:
    presenter = open_presenter()
    first, _second = show(presenter, 1, 5), show(presenter, 2, 6)
    assert presenter.closed() == [Superseded(first)]
    presenter.opened()
    assert tell(presenter, first, SHOWN) == [staged(first, SHOWN, 7.5, None)]


def test_a_client_that_tells_nothing_makes_us_forget_the_oldest() -> None:
    presenter = open_presenter()
    images = [shown_and_acked(presenter, index) for index in range(MAX_SETTLED)]
    more = show(presenter, MAX_SETTLED, MAX_SETTLED)
    outputs = hear(presenter, encode_channel(Ack(more.sent_at, 9)))
    assert outputs[1:] == [Forgotten(images[0])]
    assert isinstance(tell(presenter, images[0], SHOWN)[0], Drop)
    assert tell(presenter, images[1], SHOWN) == [staged(images[1], SHOWN, 7.5, None)]


# ── the client's side ────────────────────────────────────────────────────────────────────────────


def said(follower: Follower, *kinds: StageKind) -> list[StageKind]:
    """Which of these stages of one image are said, in this order."""
    stages = [Stage(1, 5, kind, at) for at, kind in enumerate(kinds)]
    return [stage.stage for stage in stages if follower.staged(stage)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([FETCHED, SHOWN, HIDDEN], [FETCHED, SHOWN, HIDDEN]),
        ([SHOWN, FETCHED, HIDDEN], [SHOWN, FETCHED, HIDDEN]),
        ([SHOWN, SHOWN, HIDDEN, HIDDEN], [SHOWN, HIDDEN]),
        ([FAILED, SHOWN, HIDDEN], [FAILED]),
        ([SHOWN, FAILED, HIDDEN], [SHOWN, FAILED, HIDDEN]),
        ([HIDDEN, SHOWN], [HIDDEN]),
        ([SHOWN, HIDDEN, SHOWN, HIDDEN], [SHOWN, HIDDEN, SHOWN, HIDDEN]),
        ([SHOWN, FAILED, HIDDEN, SHOWN], [SHOWN, FAILED, HIDDEN]),
        ([FAILED, FETCHED, FAILED], [FAILED, FETCHED]),
    ],
)
def test_what_makes_no_sense_after_the_others_is_not_said(
    told: list[StageKind], expected: list[StageKind]
) -> None:
    assert said(Follower(), *told) == expected


def test_what_failed_as_nobody_looked_may_be_shown_yet() -> None:
    follower = Follower()
    stages = [
        Stage(1, 5, FETCHED, 1),
        Stage(1, 5, FAILED, 2, HIDDEN_TAB),
        Stage(1, 5, SHOWN, 3),
        Stage(1, 5, HIDDEN, 4),
        Stage(1, 5, SHOWN, 5),
    ]
    assert all(follower.staged(stage) for stage in stages)


def test_stages_of_two_showings_of_one_image_are_their_own() -> None:
    follower = Follower()
    for sent_at in (5, 5.5):
        assert len(follower.staged(Stage(1, sent_at, SHOWN, 7))) == 1
    assert follower.staged(Stage(1, 5, SHOWN, 8)) == []


def test_stages_are_said_again_on_a_new_channel_after_ready_and_the_oldest_are_given_up() -> None:
    follower = Follower()
    stages = [Stage(number, number, FAILED, 7, "timeout") for number in range(MAX_STAGES + 1)]
    for stage in stages:
        follower.staged(stage)
    ready, *again = texts(follower.opened())
    assert ready == READY
    assert [decode_channel(text) for text in again] == stages[1:]


# ── both ─────────────────────────────────────────────────────────────────────────────────────────

Heard = tuple[int, StageKind, float]
"""Of which image, what, and when."""

STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(StageKind)) | st.sampled_from(["close", "open"]),
    max_size=40,
)


@given(STEPS)
@LAW
def test_each_time_of_a_stage_is_heard_once_in_its_order_however_the_channel_comes_and_goes(
    steps: list[tuple[int, StageKind] | str],
) -> None:
    presenter, follower = open_presenter(), Follower()
    images = [shown_and_acked(presenter, index) for index in range(4)]
    clock = itertools.count()
    is_open, made, heard = True, list[Heard](), list[Heard]()

    def hear_all(lines: list[str]) -> None:
        for line in lines:
            heard.extend(
                (output.said.image_index, output.said.stage, output.said.at)
                for output in hear(presenter, line)
                if isinstance(output, Staged)
            )

    for step in [*steps, "close", "open"]:
        if step == "close":
            is_open = False
            presenter.closed()
        elif step == "open":
            is_open = True
            presenter.opened()
            hear_all(texts(follower.opened()))
        else:
            assert not isinstance(step, str)
            index, kind = step
            at = next(clock)
            sent = follower.staged(Stage(index, images[index].sent_at, kind, at))
            if sent:
                made.append((index, kind, at))
            if is_open:
                hear_all(texts(sent))
    assert heard == made
    assert len(set(heard)) == len(heard)
