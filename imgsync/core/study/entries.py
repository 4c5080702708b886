"""One entry of a study, or of any other list of images: what is shown, and what is asked.

`web/js/core/study/entries.js` reads entries by the same rules, and has the same words for what is
wrong with them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from imgsync.core.codec.strict import dump_json
from imgsync.core.protocol.extra import fault_in, is_named
from imgsync.core.protocol.keys import plain_key
from imgsync.core.protocol.numbers import (
    MAX_EXPOSURE_FRAMES,
    MAX_EXTRA,
    MAX_KEYS,
    MAX_NUMBER,
    MAX_SCREEN_TEXT,
    MAX_SHOW_FOR,
    MAX_SIZE_DEG,
    MAX_SIZE_MM,
    MAX_URLS,
    MIN_SHOW_FOR,
)
from imgsync.core.protocol.trials import (
    Respond,
    Scale,
    Trial,
    is_frames,
    is_screen_text,
    is_size_deg,
    is_size_mm,
)
from imgsync.core.protocol.web_urls import is_web_url
from imgsync.core.study.keys import fault_of_key
from imgsync.core.study.places import Path

_SIZES = ("sizeMm", "sizeDeg", "scale")
"""Of which an entry has one at most."""

FIELDS = ("imageUrl", "signedUrl", "showFor", "frames", "respond", "text", *_SIZES)
"""What is no free column."""

NAMES = (*FIELDS, "block")
"""Names that mean something, so that one that is nearly the same is a mistake."""

_FILE = re.compile(
    r"(?!/)(?:(?!\.{1,2}/)[^/\\:?#\0-\x1f\x7f]+/)*[^/\\:?#\0-\x1f\x7f]+"
    r"\.(?:apng|avifs?|bmp|gif|jfif|jpe|jpe?g|pjp|pjpeg|png|svg|webp)",
    re.IGNORECASE,
)

_NUMBER = re.compile(r"[ \t]*([0-9]+(?:\.[0-9]+)?)[ \t]*")

_WORDS = ("taps", "ends")
"""What stands beside the keys where `respond` is written as words."""


@attrs.frozen
class Fault:
    """What is wrong with an entry, or with the whole.

    :param path: what leads to it.
    :param what: what follows the name of the image, or that of the file.
    """

    path: Path
    what: str


@attrs.frozen
class Entry:
    """What is shown at one place.

    :param image_url: what names the image: a web URL, or the path of a file beside the study; None
        for a text.
    :param signed_url: where it is fetched; None for a file and for a text.
    :param trial: what is asked; None where nothing is.
    :param block: of whatever is shuffled together; None where none is named.
    """

    image_url: str | None = None
    signed_url: str | None = None
    trial: Trial | None = None
    block: str | float | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def is_file(self) -> bool:
        """Whether its picture lies beside the study."""
        return self.image_url is not None and self.signed_url is None


def is_file_name(value: object) -> bool:
    """Whether it is the path of a picture's file below the folder of the study."""
    return isinstance(value, str) and _FILE.fullmatch(value) is not None


def is_left_out(value: object) -> bool:
    """Whether a member says nothing: CSV has an empty cell in its place."""
    return value is None or value == ""


def odd_name(names: Mapping[str, Any], known: tuple[str, ...]) -> tuple[str, str] | None:
    """A name that is nearly one of these, and that one, which is not there."""
    for wanted in known:
        alike = [one for one in names if plain_name(one) == plain_name(wanted)]
        if alike and wanted not in names:
            return alike[0], wanted
    return None


def plain_name(name: str) -> str:
    """A name as one may have meant it."""
    return re.sub(r"[ \t\r\n_-]+", "", name).lower()


class EntryReader:
    """Reads one entry, and gathers what is wrong with it.

    :param path: what leads to the entry.
    :param is_doubled: whether `imageUrl` is good for both, as no entry has a `signedUrl`.
    """

    def __init__(self, entry: dict[str, Any], path: Path, *, is_doubled: bool) -> None:
        self.faults: list[Fault] = []
        self._entry = entry
        self._path = path
        self._is_doubled = is_doubled

    def read(self) -> Entry:
        """The entry, which is good for nothing where there are faults."""
        odd = odd_name(self._entry, NAMES)
        if odd is not None:
            self._tell(odd[0], f'has a column "{on_one_line(odd[0])}"; call it {odd[1]}')
        text = self._text()
        image_url, signed_url = (None, None) if text is not None else self._urls()
        show_for, frames, respond = self._show_for(), self._frames(), self._respond()
        sizes = self._sizes()
        extra = self._extra()
        block = self._named("block")
        self._named("id")
        if self.faults:
            return Entry()
        trial = Trial(show_for, frames, respond, text, *sizes)
        return Entry(image_url, signed_url, None if trial == Trial() else trial, block, extra)

    def _tell(self, member: str, what: str, *inside: str | int) -> None:
        self.faults.append(Fault((*self._path, member, *inside), what))

    def _get(self, member: str) -> Any:
        value = self._entry.get(member)
        return None if is_left_out(value) else value

    def _text(self) -> str | None:
        text = self._get("text")
        if text is None:
            return None
        for other in ("imageUrl", "signedUrl"):
            if self._get(other) is not None:
                self._tell(other, f"has text and {other}; leave one of them out")
        if not isinstance(text, str) or not is_screen_text(text):
            self._tell(
                "text",
                f"has a text that is not of 1 to {MAX_SCREEN_TEXT} characters, without control"
                " characters but line breaks",
            )
        return text if isinstance(text, str) else ""

    def _urls(self) -> tuple[str | None, str | None]:
        image_url = self._get("imageUrl")
        if is_file_name(image_url) and not is_web_url(image_url):
            if not self._is_doubled and self._get("signedUrl") is not None:
                self._tell("signedUrl", "is a file and has a signedUrl; leave that out")
            return image_url, None
        if image_url is None:
            self._tell("imageUrl", "has no imageUrl that is an http or https URL, and no text")
            return None, None
        asked = {"imageUrl": image_url}
        if not self._is_doubled:
            asked["signedUrl"] = self._get("signedUrl")
        for member, url in asked.items():
            if not isinstance(url, str) or not is_web_url(url):
                self._tell(member, f"has no {member} that is an http or https URL")
            elif "@" in urlsplit(url).netloc:
                self._tell(
                    member,
                    f"has a user name in its {member}, which browsers load nothing with; leave it"
                    " out",
                )
        urls = {"imageUrl": image_url, "signedUrl": asked.get("signedUrl", image_url)}
        if not self.faults and (size := len(dump_json(urls))) > MAX_URLS:
            self._tell(
                "imageUrl",
                f"has URLs of {size} bytes, which fit into no message; {MAX_URLS} do",
            )
        return urls["imageUrl"], urls["signedUrl"]

    def _show_for(self) -> float | None:
        value = _number(self._get("showFor"))
        if value is None:
            return None
        if self._get("frames") is not None:
            self._tell("showFor", "has showFor and frames; leave one of them out")
        if isinstance(value, float) and MIN_SHOW_FOR <= value <= MAX_SHOW_FOR:
            return value
        self._tell(
            "showFor",
            f"has a showFor that is no number of milliseconds from {MIN_SHOW_FOR}, which is one"
            f" refresh of the quickest screens, to {MAX_SHOW_FOR}",
        )
        return None

    def _frames(self) -> int | None:
        value = _number(self._get("frames"))
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer() and is_frames(int(value)):
            return int(value)
        self._tell("frames", f"has frames that are no whole number from 1 to {MAX_EXPOSURE_FRAMES}")
        return None

    def _sizes(self) -> tuple[float | None, float | None, Scale | None]:
        asked = [member for member in ("text", *_SIZES) if self._get(member) is not None]
        for member in asked[1:]:
            self._tell(member, f"has {asked[0]} and {member}; leave one of them out")
        scale = self._get("scale")
        if scale not in (None, Scale.PIXELS.value):
            self._tell(
                "scale",
                'has a scale that is not "1:1"; for other sizes there are sizeMm and sizeDeg',
            )
        return (
            self._size("sizeMm", is_size_mm, f"millimetres above 0 and up to {MAX_SIZE_MM}"),
            self._size("sizeDeg", is_size_deg, f"degrees above 0 and up to {MAX_SIZE_DEG}"),
            None if scale is None else Scale.PIXELS,
        )

    def _size(self, member: str, fits: Callable[[float], bool], rule: str) -> float | None:
        value = _number(self._get(member))
        if value is None or (isinstance(value, float) and fits(value)):
            return value
        self._tell(member, f"has a {member} that is no number of {rule}, for its longer side")
        return None

    def _respond(self) -> Respond | None:
        value = self._get("respond")
        if value is None:
            return None
        if isinstance(value, str):
            words = [word for word in re.split(r"[ \t\r\n]+", value) if word]
            value = {"keys": [word for word in words if word not in _WORDS]}
            value |= {word: True for word in _WORDS if word in words}
        faults = _faults_of_respond(value)
        for fault in faults:
            self._tell("respond", fault.what, *fault.path)
        if faults:
            return None
        keys = tuple(plain_key(key) for key in value.get("keys") or [])
        return Respond(keys, value.get("taps") is True, value.get("ends") is True)

    def _named(self, member: str) -> str | float | None:
        value = self._get(member)
        if value is None:
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return value
        self._tell(member, f"has a member {member} that is neither a text nor a number")
        return None

    def _extra(self) -> dict[str, Any]:
        """Free columns, as they stand."""
        extra = {
            name: value
            for name, value in self._entry.items()
            if name not in FIELDS and is_named(name)
        }
        for name, value in extra.items():
            fault = fault_in({name: value}, depth=-1)
            if fault is not None:
                self._tell(name, f'has an extra column "{name}" whose value {fault}')
                return {}
        size = len(dump_json(extra))
        if size > MAX_EXTRA:
            self.faults.append(
                Fault(
                    self._path,
                    f"has extra columns of {size} bytes; at most {MAX_EXTRA} go into a record",
                )
            )
        return extra


def _number(value: Any) -> Any:
    """A number as a float, also where a cell has it; anything else as it is."""
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)) and len(value) <= 20:
        return float(found[1])
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER:
        return float(value)
    return value


def _faults_of_respond(value: Any) -> list[Fault]:
    """Their paths lead on from `respond`."""
    if not isinstance(value, dict):
        what = "has a respond that is neither words nor an object of keys, taps and ends"
        return [Fault((), what)]
    faults = [
        Fault(
            (name,), f'has in respond a member "{on_one_line(name)}"; there are keys, taps and ends'
        )
        for name in value
        if name not in ("keys", *_WORDS)
    ]
    faults += [
        Fault((word,), f"has in respond {word} that is neither true nor false")
        for word in _WORDS
        if not isinstance(value.get(word, False), bool)
    ]
    keys = value.get("keys", [])
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        what = f"has in respond keys that are no list of at most {MAX_KEYS}"
        return [*faults, Fault(("keys",), what)]
    found = [(place, fault_of_key(key)) for place, key in enumerate(keys)]
    faults += [Fault(("keys", place), what) for place, what in found if what is not None]
    return faults or _faults_of_keys([plain_key(key) for key in keys], value.get("taps") is True)


def _faults_of_keys(keys: list[str], taps: bool) -> list[Fault]:
    """What is wrong with good keys beside each other."""
    for place, key in enumerate(keys):
        if key in keys[:place]:
            return [Fault(("keys", place), "asks in respond for one key twice")]
    if not keys and not taps:
        return [Fault((), "asks in respond for no answer; name keys, or taps, or leave it out")]
    return []


def on_one_line(name: str) -> str:
    """A name as it can stand in a sentence."""
    return re.sub(r"[ \t\r\n]+", " ", name)
