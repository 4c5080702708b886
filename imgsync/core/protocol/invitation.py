"""The link by which a participant comes in; `web/js/core/protocol/invitation.js` makes the same.

What is behind the `#` no browser sends to anybody, so that the token stands there and nothing else
that is secret is in the link.
"""

from collections.abc import Collection
from urllib.parse import quote


def make_link(
    page: str,
    user_id: str,
    *,
    language: str | None = None,
    devices: Collection[str] = (),
    token: str | None = None,
) -> str:
    """A link to the client's page.

    :param page: its URL, without a query.
    :param language: the tag of the one that the page speaks; the browser's own choice if None.
    :param devices: what is recorded of the participant.
    """
    query = f"user={_quote(user_id)}"
    if devices:
        query += f"&record={','.join(map(_quote, devices))}"
    if language is not None:
        query += f"&lang={_quote(language)}"
    return f"{page}?{query}" + (f"#token={_quote(token)}" if token else "")


def _quote(text: str) -> str:
    """As in a form, so that no program for mail takes a part of it for the end of the link."""
    return quote(text, safe="")
