"""imgsync: drive which image a remote viewer sees, peer to peer, and know when it arrived.

Public names load when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from imgsync.client.client import Client as Client
    from imgsync.client.client import ClientSession as ClientSession
    from imgsync.client.client import ReceivedImage as ReceivedImage
    from imgsync.client.client import open_client as open_client
    from imgsync.client.hooks import follow as follow
    from imgsync.core.pictures.facts import Facts as Facts
    from imgsync.core.protocol.channel import Display as Display
    from imgsync.core.protocol.channel import Drawn as Drawn
    from imgsync.core.protocol.channel import OnsetTiming as OnsetTiming
    from imgsync.core.protocol.channel import Preloaded as Preloaded
    from imgsync.core.protocol.channel import Recording as Recording
    from imgsync.core.protocol.channel import ResponseKind as ResponseKind
    from imgsync.core.protocol.channel import StageKind as StageKind
    from imgsync.core.protocol.channel import UpcomingImage as UpcomingImage
    from imgsync.core.protocol.errors import ConnectError as ConnectError
    from imgsync.core.protocol.errors import ImageFailed as ImageFailed
    from imgsync.core.protocol.errors import ImgsyncError as ImgsyncError
    from imgsync.core.protocol.errors import InputError as InputError
    from imgsync.core.protocol.errors import NotSpoken as NotSpoken
    from imgsync.core.protocol.errors import RelayError as RelayError
    from imgsync.core.protocol.errors import SessionEnded as SessionEnded
    from imgsync.core.protocol.errors import SignallingLost as SignallingLost
    from imgsync.core.protocol.errors import Superseded as Superseded
    from imgsync.core.protocol.signalling import EndReason as EndReason
    from imgsync.core.protocol.states import SessionState as SessionState
    from imgsync.core.protocol.states import StateChange as StateChange
    from imgsync.core.protocol.trials import Respond as Respond
    from imgsync.core.protocol.trials import Scale as Scale
    from imgsync.core.protocol.trials import Trial as Trial
    from imgsync.evaluator.delivery import Delivery as Delivery
    from imgsync.evaluator.delivery import PictureReport as PictureReport
    from imgsync.evaluator.delivery import ResponseReport as ResponseReport
    from imgsync.evaluator.delivery import StageReport as StageReport
    from imgsync.evaluator.evaluator import Evaluator as Evaluator
    from imgsync.evaluator.evaluator import EvaluatorSession as EvaluatorSession
    from imgsync.evaluator.evaluator import open_evaluator as open_evaluator
    from imgsync.evaluator.marks import Mark as Mark
    from imgsync.evaluator.sharing import PictureNotSent as PictureNotSent
    from imgsync.images.folder import LeftOut as LeftOut
    from imgsync.images.ref import ImageRef as ImageRef
    from imgsync.images.sources import Images as Images
    from imgsync.images.sources import open_images as open_images

_HOMES = {
    "imgsync.client.client": (
        "Client",
        "ClientSession",
        "ReceivedImage",
        "open_client",
    ),
    "imgsync.client.hooks": ("follow",),
    "imgsync.core.pictures.facts": ("Facts",),
    "imgsync.core.protocol.channel": (
        "Display",
        "Drawn",
        "OnsetTiming",
        "Preloaded",
        "Recording",
        "ResponseKind",
        "StageKind",
        "UpcomingImage",
    ),
    "imgsync.core.protocol.errors": (
        "ConnectError",
        "ImageFailed",
        "ImgsyncError",
        "InputError",
        "NotSpoken",
        "RelayError",
        "SessionEnded",
        "SignallingLost",
        "Superseded",
    ),
    "imgsync.core.protocol.signalling": ("EndReason",),
    "imgsync.core.protocol.states": (
        "SessionState",
        "StateChange",
    ),
    "imgsync.core.protocol.trials": (
        "Respond",
        "Scale",
        "Trial",
    ),
    "imgsync.evaluator.delivery": (
        "Delivery",
        "ImageRef",
        "PictureReport",
        "ResponseReport",
        "StageReport",
    ),
    "imgsync.evaluator.evaluator": (
        "Evaluator",
        "EvaluatorSession",
        "open_evaluator",
    ),
    "imgsync.evaluator.marks": ("Mark",),
    "imgsync.evaluator.sharing": ("PictureNotSent",),
    "imgsync.images.folder": ("LeftOut",),
    "imgsync.images.sources": (
        "Images",
        "open_images",
    ),
}

__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
