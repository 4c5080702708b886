"""Hosts as URLs, `Host:` and people write them."""


def in_url(host: str) -> str:
    """A name or an address as it stands in a URL: an IPv6 address in brackets (RFC 3986, 3.2.2).

    Its zone, which is this machine's own name for a link, is told to nobody.
    """
    return f"[{host.partition('%')[0]}]" if ":" in host else host


def with_port(host: str, port: int | str) -> str:
    """HOST:PORT, which is [HOST]:PORT where the host is an IPv6 address."""
    return f"{in_url(host)}:{port}"
