"""What is asked of a trial goes out with its image; texts go to whom they are no riddle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Displayed, Drop, Superseded, Transmit, Unsendable
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Display, Image, Ready
from imgsync.core.protocol.errors import InputError, MessageTooLarge, WireError
from imgsync.core.protocol.numbers import (
    MAX_CHANNEL_MESSAGE,
    MAX_DISPLAYS,
    MAX_KEY,
    MAX_KEYS,
    MAX_SCREEN_TEXT,
)
from imgsync.core.protocol.trials import Respond, Trial
from tests.kit.channels import READY, hear, texts

PICTURE = ImageSource("http://h/1", "http://h/1?sig=1")
TEXT = ImageSource("texts/1f8e24a0/0", None, trial=Trial(text="Look at the cross."))
TAKES = ("preload", "pictures", "text")


def ready(*features: str) -> str:
    return encode_channel(Ready(features))


def sent(outputs: Sequence[object]) -> list[Any]:
    """What goes out, as it is read, and what else is asked for."""
    return [decode_channel(one.text) if isinstance(one, Transmit) else one for one in outputs]


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "trial",
    [
        Trial(show_for=500),
        Trial(frames=12, respond=Respond(("f", "j"), taps=True, ends=True)),
        Trial(respond=Respond()),
        Trial(text="Now.", respond=Respond(("Space",))),
    ],
)
def test_what_is_asked_goes_out_with_every_copy_of_the_image_and_is_read_again(
    trial: Trial,
) -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    url = None if trial.text else "http://h/1?sig=1"
    image, outputs = presenter.show(1, ImageSource("http://h/1", url, trial=trial), 5)
    assert image.trial == trial
    assert sent(outputs) == sent(hear(presenter, ready(*TAKES))) == [image]
    assert trial.asks == (trial != Trial(text=trial.text))


def test_an_image_of_which_nothing_is_asked_is_said_as_ever() -> None:
    for trial in (None, Trial()):
        presenter = Presenter()
        presenter.opened()
        image, [output] = presenter.show(1, attrs.evolve(PICTURE, trial=trial), 5)
        assert isinstance(output, Transmit)
        assert set(json.loads(output.text)) == {"imageIndex", "imageUrl", "signedUrl", "sentAt"}
        assert image.trial == Trial()
        assert not image.trial.asks


def test_what_is_asked_stays_where_the_image_has_a_newer_url() -> None:
    presenter = Presenter()
    presenter.opened()
    image, _ = presenter.show(1, attrs.evolve(PICTURE, trial=Trial(frames=3)), 5)
    presenter.renew([ImageSource("http://h/1", "http://h/1?sig=2")])
    [copy] = sent(hear(presenter, ready()))
    assert copy == attrs.evolve(image, signed_url="http://h/1?sig=2")


@pytest.mark.parametrize(
    "ask",
    [
        *({"show_for": 0}, {"show_for": -1}, {"show_for": 3_600_001}, {"frames": 0}),
        *({"frames": 1_000_001}, {"show_for": 5, "frames": 5}, {"text": ""}, {"text": "a\rb"}),
        *({"text": "x" * (MAX_SCREEN_TEXT + 1)}, {"text": "\x1b[2J"}),
    ],
)
def test_what_no_client_would_read_can_t_be_asked(ask: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Trial(**ask)


@pytest.mark.parametrize("keys", [("f",) * (MAX_KEYS + 1), ("",), ("x" * (MAX_KEY + 1),), ("\n",)])
def test_nor_can_such_keys(keys: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        Respond(keys)


@pytest.mark.parametrize(
    "field",
    [
        *({"showFor": 5, "frames": 5}, {"showFor": 0}, {"frames": 1.5}, {"respond": []}),
        *({"respond": {"keys": "f"}}, {"respond": {"taps": 1}}, {"text": "a\tb"}, {"text": 5}),
    ],
)
def test_an_image_that_asks_for_what_makes_no_sense_is_refused_by_the_name_of_the_field(
    field: dict[str, Any],
) -> None:
    text = json.dumps({"imageIndex": 1, "imageUrl": "u", "signedUrl": "s", "sentAt": 5, **field})
    with pytest.raises(WireError, match=rf"^message.*\b{list(field)[-1]}\b"):
        decode_channel(text)


def test_a_text_may_have_what_its_language_needs() -> None:
    # A joiner, a space that is as wide as a letter, one that does not break, and a flag.
    text = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\n\u3000注視点\u00a0\U0001f1e8\U0001f1ed"
    )
    image = Image(1, "texts/1f8e24a0/0", None, 5, text=text)
    assert decode_channel(encode_channel(image)) == image


@pytest.mark.parametrize("letter", ["x", "é", "中"])
def test_the_longest_text_fits_into_a_message(letter: str) -> None:
    image = Image(1, "texts/1f8e24a0/0", None, 5, text=letter * MAX_SCREEN_TEXT)
    assert len(encode_channel(image)) < MAX_CHANNEL_MESSAGE / 2


# ── texts ────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_goes_to_a_client_that_is_known_to_speak_it_and_needs_no_channel_of_pictures() -> (
    None
):
    presenter = Presenter()
    presenter.opened(TAKES)
    image, outputs = presenter.show(1, TEXT, 5)
    assert sent(outputs) == [image]
    assert (image.signed_url, image.text) == (None, "Look at the cross.")


def test_a_text_waits_for_the_client_s_own_word_and_is_refused_by_name() -> None:
    presenter = Presenter()
    presenter.opened(("pictures",))
    image, outputs = presenter.show(1, TEXT, 5)
    assert outputs == []
    assert hear(presenter, ready("pictures")) == [Unsendable(image, "text")]
    # From now on it is known.
    image, outputs = presenter.show(1, TEXT, 6)
    assert outputs == [Unsendable(image, "text")]
    image, outputs = presenter.show(2, PICTURE, 7)
    assert sent(outputs) == [image]


def test_a_text_that_waits_when_another_is_to_be_shown_is_superseded() -> None:
    presenter = Presenter()
    presenter.opened()
    text, _ = presenter.show(1, TEXT, 5)
    image, outputs = presenter.show(2, PICTURE, 6)
    assert sent(outputs) == [Superseded(text), image]


def test_what_takes_texts_need_not_take_pictures_over_the_connection() -> None:
    presenter = Presenter()
    presenter.opened()
    hear(presenter, ready("text"))
    image, outputs = presenter.show(1, TEXT, 5)
    assert sent(outputs) == [image]
    own = ImageSource("images/0a/1.png", None, is_own=True, trial=Trial(frames=3))
    image, outputs = presenter.show(1, own, 6)
    assert outputs == [Unsendable(image, "pictures")]


def test_texts_are_not_announced() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    [preload] = sent(presenter.preload([TEXT, PICTURE, TEXT]))
    assert [one.image_url for one in preload.images] == [PICTURE.image_url]
    assert presenter.preload([TEXT]) == []


def test_a_text_that_is_too_long_for_this_client_is_refused() -> None:
    presenter = Presenter()
    presenter.opened(TAKES, 500)
    long = attrs.evolve(TEXT, trial=Trial(text="中" * 100))
    with pytest.raises(MessageTooLarge):
        presenter.show(1, long, 5)


# ── what images are shown on ─────────────────────────────────────────────────────────────────────


def test_a_display_is_told_again_on_each_channel_and_heard_once() -> None:
    presenter, follower = Presenter(), Follower()
    first, second = Display(5, refresh_rate=60), Display(6, refresh_rate=60)
    said = [follower.displayed(first).text]
    said += texts(follower.opened())
    said += [follower.displayed(second).text]
    said += texts(follower.opened())
    told = [one for text in said if text != READY for one in hear(presenter, text)]
    assert [one for one in told if not isinstance(one, Drop)] == [
        Displayed(first),
        Displayed(second),
    ]
    assert len(told) == 4


def test_of_displays_so_many_are_heard_and_no_more() -> None:
    presenter = Presenter()
    told = [hear(presenter, encode_channel(Display(at)))[0] for at in range(MAX_DISPLAYS + 3)]
    assert [isinstance(one, Displayed) for one in told] == [True] * MAX_DISPLAYS + [False] * 3
