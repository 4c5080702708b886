"""What the tests of the talk on the data channel share."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.line import Heard, Line
from imgsync.core.channel.outputs import Acked, Drop, Staged, Transmit
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Ack, Image, Ready, Stage, StageKind
from imgsync.core.protocol.numbers import FEATURES, HIDDEN_TAB
from imgsync.core.protocol.trials import Respond, Scale, Trial

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
READY = encode_channel(Ready(FEATURES))

# What a client may say, as JSON has it.

STAGES = [kind.value for kind in StageKind]
ONSETS: list[Any] = [
    None,
    {"timing": "presented", "within": 0},
    {"timing": "frame", "within": 33.5},
]
DRAWN: list[Any] = [
    {"widthPx": 378.5, "heightPx": 200, "widthMm": 100, "heightMm": 52.8},
    {"widthPx": 800, "heightPx": 600.25, "fitted": "no_distance"},
]
REASONS = [None, "timeout", "http_403", HIDDEN_TAB]
TRIALS: list[Any] = [
    *(None, {}, {"showFor": 500}, {"frames": 12}, {"respond": {}}),
    {"showFor": 0.5, "respond": {"keys": ["f", "j"], "taps": False, "ends": True}},
    {"text": "Look at the cross.\nPress a key."},
    {"text": "ä", "respond": {"keys": [], "taps": True}},
    *({"sizeMm": 100}, {"frames": 12, "sizeDeg": 5.5}, {"scale": "1:1"}),
]
"""What may be asked beside showing an image, as the pages have it."""

RESPONSES: list[Any] = [
    {"kind": "key", "value": "f", "reactionTime": 512.25, "within": 16.75},
    {"kind": "tap", "value": "picture", "reactionTime": 512, "x": 10.5, "y": 0},
    {"kind": "button", "value": "yes"},
]
DISPLAYS: list[Any] = [
    {"at": 1},
    {"at": 2.5, "refreshRate": 59.94, "pointer": "fine", "languages": ["de-CH", "en"]},
    {"at": 3, "pxPerMm": 3.8, "calibratedBy": "card", "distanceMm": 580, "distanceBy": "typed"},
]

SPOKEN = [
    *(["preload"], ["stage", "ping"], ["pictures"], ["preload", "pictures"]),
    *(["text"], ["preload", "pictures", "text"]),
]

IDENTITY = {"sha256": "0a" * 32, "contentType": "image/png", "bytes": 7, "width": 4, "height": 3}


NO_SIZE = {**IDENTITY, "width": None, "height": None}


def hear(
    side: Presenter | Follower, text: str | bytes, at: float = 0, waiting: int = 0
) -> list[object]:
    """What comes of a message, as it is read off the channel while so much waits to be sent."""
    outputs: list[object] = []
    for output in Line().receive(text, at, now=0):
        match output:
            case Heard(message, at) if isinstance(side, Presenter):
                outputs += side.receive(message, waiting)
            case Heard(message, at) if isinstance(side, Follower):
                outputs += side.receive(message, at)
            case Drop():
                outputs.append(output)
    return outputs


def acked(image: Image, at: float, copies: int, index: int | None = None) -> Acked:
    return Acked(image, Ack(image.sent_at, at, index), copies)


def staged(image: Image, kind: StageKind, at: float, reason: str | None) -> Staged:
    return Staged(Stage(image.image_index, image.sent_at, kind, at, reason))


def trial_of(trial: dict[str, Any] | None) -> Trial | None:
    """What a page's trial is in Python."""
    if trial is None:
        return None
    respond = trial.get("respond")
    if respond is not None:
        keys = tuple(respond.get("keys", ()))
        respond = Respond(keys, respond.get("taps", False), respond.get("ends", False))
    scale = None if "scale" not in trial else Scale(trial["scale"])
    sizes = (trial.get("sizeMm"), trial.get("sizeDeg"), scale)
    return Trial(trial.get("showFor"), trial.get("frames"), respond, trial.get("text"), *sizes)


def show(presenter: Presenter, index: int, now: float) -> Image:
    image, _ = presenter.show(index, ImageSource(f"{index}.png", f"{index}.png?sig"), now)
    return image


def texts(outputs: Sequence[object]) -> list[str]:
    return [output.text for output in outputs if isinstance(output, Transmit)]
