"""Why an image came to nothing: the wire's short words, and what people can do about each."""

from imgsync.core.pictures.kinds import KINDS
from imgsync.core.pictures.others import OTHERS
from imgsync.core.protocol.numbers import (
    BAD_HASH,
    CHANGED,
    CROWDED_OUT,
    HIDDEN_TAB,
    MAX_IMAGE,
    OF_TYPE,
    UNREADABLE,
)
from imgsync.images.fetch import NO_HTTP
from imgsync.images.folder import (
    A_FOLDER,
    NO_FILE,
    NO_IMAGE,
    NOT_READABLE,
    NOT_SHOWN,
    OTHER_ENDING,
)

_ADVICE = {
    "http_403": "its signature is wrong, or its time is over: sign the URLs anew",
    "http_404": "it is not there any more, or its URL is wrong",
    "bad_url": "its URL is none of a web server",
    "unreachable": "check the host's name and port, and that firewalls let TCP through to it",
    "unknown_host": "the host's name is wrong, or this network knows no such name",
    "tls": "its certificate is not trusted by the client, or has expired",
    "proxy": "the client's proxy stands in the way: see HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
    "bad_answer": "what answers at its address speaks no HTTP: check the port",
    "bad_redirect": "its host redirects to what is no URL of a web server",
    "redirect_loop": "its host redirects without an end: a login page does that",
    "bad_encoding": "its host says that it has packed the image, and it can't be unpacked",
    "fetch": "check the host's name and port, and that firewalls let TCP through to it",
    "timeout": "no byte of it came for a while: its host, or the line to it, stands still",
    "not_an_image": "what comes is something else, perhaps a page that asks for a password",
    "decode": "what comes is damaged, or of a form that browsers don't show: save it anew",
    "truncated": "the end of the image is missing: put it onto its host again",
    "too_large": f"it has more than {MAX_IMAGE >> 20} MiB: make it smaller",
    CHANGED: "its file is another one than it was: open its folder again",
    UNREADABLE: "its file is gone, or can't be read: put it back, and open its folder again",
    BAD_HASH: "other bytes came than were sent: something in between changes what it passes on",
    "not_offered": "the client asks for a picture that it was not shown: it is of another make",
    NO_HTTP: "the client can't fetch from web servers: install httpx there",
    "not_saved": "the client can't write to the folder that it keeps images in",
    CROWDED_OUT: "images were shown faster than the client could fetch and save them: show fewer",
    "exec": "the client can't start its program",
    HIDDEN_TAB: "nobody looked at the client's page",
}

_ON_LEFT_OUT = {
    A_FOLDER: "what is in a folder inside is not shown: name that folder, or move its images up",
    NO_FILE: "it holds nothing to show",
    NOT_READABLE: "let this user read it, if it is to be shown",
    NO_IMAGE: "nothing to do, unless it was meant as one",
}

_ENDINGS = {kind.media_type: kind.suffixes[0] for kind in KINDS}


def advice_on_left_out(why: str) -> str:
    """What to do about files of a folder that are left out for this reason."""
    if why.endswith(NOT_SHOWN):
        return advice_on(OF_TYPE + why.removesuffix(NOT_SHOWN)) or ""
    if why.endswith(OTHER_ENDING):
        return f"let its name end in .{_ENDINGS[why.removesuffix(OTHER_ENDING)]}, and it is shown"
    return _ON_LEFT_OUT.get(why, "")


def advice_on(reason: str) -> str | None:
    """What to do, or where to look; None for a word that we don't know."""
    if reason.startswith(OF_TYPE):
        media_type = reason.removeprefix(OF_TYPE)
        other = OTHERS.get(media_type)
        todo = "convert it to PNG, JPEG, WebP or AVIF" if other is None else other.advice
        return f"{media_type} can't be shown by browsers: {todo}"
    return _ADVICE.get(reason)
