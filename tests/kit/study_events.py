"""What the evaluator's command prints of a study, for people and for programs."""

from imgsync.commands.events import Display, Mark, NotSpoken, PeerEvent, Response
from imgsync.core.protocol.channel import Display as DisplayReport
from imgsync.core.protocol.channel import PointerKind, ResponseKind

SCREEN = DisplayReport(
    6,
    screen_width=1920,
    screen_height=1080,
    zoom=1.5,
    refresh_rate=59.9,
    browser="Firefox",
    system="Linux",
    languages=("de",),
    pointer=PointerKind.FINE,
)

STUDY_EVENTS: list[tuple[PeerEvent, str | None, str]] = [
    (
        Response(3, "a.png", 4, 2, 5, ResponseKind.KEY, "f", 512.34567, 8.4),
        "image 3  a.png  key f after 512.3 ± 8.4 ms",
        '{"event": "response", "imageIndex": 3, "name": "a.png", "sentAt": 4, "number": 2, "at": 5,'
        ' "kind": "key", "value": "f", "reactionTimeMs": 512.346, "boundMs": 8.4}',
    ),
    (
        Response(3, "a.png", 4, 2, 5, ResponseKind.TAP, "picture", None, None, 10.5, 7),
        "image 3  a.png  tap picture at 10, 7",
        '{"event": "response", "imageIndex": 3, "name": "a.png", "sentAt": 4, "number": 2, "at": 5,'
        ' "kind": "tap", "value": "picture", "reactionTimeMs": null, "boundMs": null, "x": 10.5,'
        ' "y": 7}',
    ),
    (
        Response(3, "a.png", 4, 257, 5, ResponseKind.TOO_MANY, "", None, None),
        "image 3  a.png  more answers than are told",
        '{"event": "response", "imageIndex": 3, "name": "a.png", "sentAt": 4, "number": 257,'
        ' "at": 5, "kind": "too_many", "value": "", "reactionTimeMs": null, "boundMs": null}',
    ),
    (
        Mark(3, "a.png", 4, 5, 2.5, "blurred"),
        "image 3  a.png  noted 2.5: blurred",
        '{"event": "mark", "imageIndex": 3, "name": "a.png", "sentAt": 4, "at": 5, "score": 2.5,'
        ' "text": "blurred"}',
    ),
    (
        Mark(None, None, None, 5, None, "late"),
        "noted: late",
        '{"event": "mark", "imageIndex": null, "name": null, "sentAt": null, "at": 5,'
        ' "score": null, "text": "late"}',
    ),
    (
        Display.of(SCREEN, ["zoomed"]),
        "client's display: screen 1920 x 1080, 59.9 Hz, Firefox on Linux; careful: the page is"
        " zoomed",
        '{"event": "display", "at": 6, "warnings": ["zoomed"], "screenWidth": 1920,'
        ' "screenHeight": 1080, "zoom": 1.5, "refreshRate": 59.9, "browser": "Firefox",'
        ' "system": "Linux", "languages": ["de"], "pointer": "fine"}',
    ),
    (
        Display.of(DisplayReport(6), []),
        "client's display: nothing is known",
        '{"event": "display", "at": 6, "warnings": [], "languages": []}',
    ),
    (
        Display.of(DisplayReport(6, checked_at=5), []),
        "client's display: checked before: all well",
        '{"event": "display", "at": 6, "warnings": [], "languages": [], "checkedAt": 5,'
        ' "checkFound": []}',
    ),
    (
        Display.of(DisplayReport(6, checked_at=5, check_found=("turn_silent", "clock_off")), []),
        "client's display: checked before: turn silent, clock off",
        '{"event": "display", "at": 6, "warnings": [], "languages": [], "checkedAt": 5,'
        ' "checkFound": ["turn_silent", "clock_off"]}',
    ),
    (
        NotSpoken("text"),
        "the client does not speak 'text': it can't show texts; they are passed over",
        '{"event": "not_spoken", "feature": "text"}',
    ),
]
