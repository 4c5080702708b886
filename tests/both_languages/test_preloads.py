"""What is announced of images, and how it is split, is alike in both languages."""

from __future__ import annotations

from imgsync.core.channel.preload import Announcements, split_preload
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Preload,
    UpcomingImage,
)
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import (
    MAX_CHANNEL_MESSAGE,
)
from tests.both_languages.replay import Given, Replay, dice_of

RUNS = 300
INPUTS = 60


def test_the_same_images_are_announced(replay: Replay) -> None:
    for run, dice in dice_of("announcements", RUNS):
        known = Announcements()
        inputs: list[Given] = []
        current: int | None = None
        count = dice.choice([0, 1, 10, 49, 50, 51, 200])
        for _ in range(INPUTS):
            inputs.append([count, current])
            steps = [0 if current is None else current + 1, dice.randrange(max(1, count))]
            current = min(dice.choice(steps), max(0, count - 1))
        expected = [known.next(*given) for given in inputs]
        replay.compare("announcements", inputs, expected, run)
    # The next ones first; then, as a person may go back, those at the beginning.
    again = Announcements()
    assert again.next(100, None) == list(range(50))
    assert again.next(100, 20) is None
    assert again.next(100, 26) == list(range(27, 77))
    assert again.next(100, 98) == [99, *range(49)]


def split(images: list[dict[str, str]], limit: int) -> list[int] | str:
    upcoming = [UpcomingImage(one["imageUrl"], one["signedUrl"]) for one in images]
    try:
        return [len(message.images) for message in split_preload(upcoming, limit)]
    except MessageTooLarge:
        return "refused"


def test_a_preload_is_split_at_the_same_places(replay: Replay) -> None:
    inputs: list[Given] = []
    for _, dice in dice_of("preload", 40):
        letters = dice.choice(["a", "ä", "\u2028", "😀", '"', "\x7f"])
        longest = dice.choice([40, 900, 5000, 17_000, 66_000])
        urls = [letters * dice.randrange(longest // len(letters.encode())) for _ in range(30)]
        inputs.append(
            [{"imageUrl": f"http://h/{i}", "signedUrl": url} for i, url in enumerate(urls)]
        )
    # About where a message is full: of two images, and of one that is too large for a preload.
    first = {"imageUrl": "u", "signedUrl": "x" * 8000}
    pairs = [{"imageUrl": "u", "signedUrl": "x" * size} for size in range(8200, 8400, 3)]
    inputs += [[first, second, first] for second in pairs]
    largest = MAX_CHANNEL_MESSAGE - 80
    inputs += [[{"imageUrl": "u", "signedUrl": "x" * (largest + more)}] for more in range(0, 80, 4)]
    limits = (MAX_CHANNEL_MESSAGE, 16_500, 16_383, 8_100, 200)
    limited = [[images, limit] for images in inputs for limit in limits]
    outputs = replay.run("preload", limited)
    found = [one if isinstance(one, list) else "refused" for one in outputs]
    assert found == [split(*one) for one in limited]
    assert {type(one) for one in found} == {list, str}


def test_a_message_has_as_many_bytes_in_both(replay: Replay) -> None:
    images = [{"imageUrl": text, "signedUrl": f"s{text}"} for text in ("a", 'ä"\\', "\x7f\u2028😀")]
    message = Preload(tuple(UpcomingImage(one["imageUrl"], one["signedUrl"]) for one in images))
    [found] = replay.run("encoded", [{"type": "preload", "images": images}])
    assert found == encode_channel(message)
