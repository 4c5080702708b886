"""How long a text may be that is told on to others; `web/js/core/protocol/lengths.js` has the same
rule. Characters are what people count, and bytes what a text costs: both are bounded.
"""

from imgsync.core.protocol.numbers import BYTES_PER_CHARACTER


def fits(text: str, most: int) -> bool:
    """Whether it has at most so many characters, and in UTF-8 no more than three bytes for each of
    these."""
    if len(text) > most:
        return False
    return text.isascii() or len(text.encode(errors="surrogatepass")) <= most * BYTES_PER_CHARACTER


def cut(text: str, most: int) -> str:
    """As much of its beginning as fits."""
    text = text[:most]
    while not fits(text, most):
        text = text[:-1]
    return text
