"""Why an image came to nothing: the wire's short words, and what people can do about each."""

from imgsync.core.protocol.numbers import HIDDEN_TAB, MAX_IMAGE, OF_TYPE

_CONVERT = ": convert it to PNG, JPEG, WebP or AVIF"
_BY_TYPE = {"application/gzip": ": unpack it, or have its host say Content-Encoding: gzip"}

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
