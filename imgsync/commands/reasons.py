"""Why an image came to nothing: the wire's short words, and what people can do about each."""

from imgsync.core.protocol.numbers import HIDDEN_TAB

_ADVICE = {
    "http_403": "its signature is wrong, or its time is over: sign the URLs anew",
    "http_404": "it is not there any more, or its URL is wrong",
    "bad_url": "its URL is none of a web server",
    "unreachable": "check the host's name and port, and that firewalls let TCP through to it",
    "fetch": "check the host's name and port, and that firewalls let TCP through to it",
    "timeout": "it answers too slowly to be shown in time",
    "not_an_image": "what comes is something else, perhaps a page that asks for a password",
    "decode": "what comes is no image that can be decoded",
    "not_saved": "the client can't write to the folder that it keeps images in",
    "exec": "the client can't start its program",
    HIDDEN_TAB: "nobody looked at the client's page",
}


def advice_on(reason: str) -> str | None:
    """What to do, or where to look; None for a word that we don't know."""
    return _ADVICE.get(reason)
