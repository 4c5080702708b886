"""Why an image came to nothing: the wire's short words, and what people can do about each."""

from imgsync.core.protocol.numbers import HIDDEN_TAB, MAX_IMAGE, OF_TYPE

_CONVERT = ": convert it to PNG, JPEG, WebP or AVIF"
_BY_TYPE = {"application/gzip": ": unpack it, or have its host say Content-Encoding: gzip"}

_ADVICE = {
    "http_403": "its signature is wrong, or its time is over: sign the URLs anew",
    "http_404": "it is not there any more, or its URL is wrong",
    "bad_url": "its URL is none of a web server",
    "unreachable": "check the host's name and port, and that firewalls let TCP through to it",
    "fetch": "check the host's name and port, and that firewalls let TCP through to it",
    "timeout": "it answers too slowly to be shown in time",
    "not_an_image": "what comes is something else, perhaps a page that asks for a password",
    "decode": "what comes is damaged, or of a form that browsers don't show: save it anew",
    "truncated": "the end of the image is missing: put it onto its host again",
    "too_large": f"it has more than {MAX_IMAGE >> 20} MiB: make it smaller",
    "not_saved": "the client can't write to the folder that it keeps images in",
    "exec": "the client can't start its program",
    HIDDEN_TAB: "nobody looked at the client's page",
}


def advice_on(reason: str) -> str | None:
    """What to do, or where to look; None for a word that we don't know."""
    if reason.startswith(OF_TYPE):
        media_type = reason.removeprefix(OF_TYPE)
        return f"{media_type} can't be shown by browsers{_BY_TYPE.get(media_type, _CONVERT)}"
    return _ADVICE.get(reason)
