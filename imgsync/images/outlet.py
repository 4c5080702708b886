"""The way of httpx to each server: directly, or through the proxy that the environment names.

httpx has rules of its own for that, by which loopback is asked through a proxy, too. Each request
is looked at, as a redirect may lead to another host.
"""

import ssl

import httpx

from imgsync.core.network.proxies import Destination, Proxy
from imgsync.core.network.tunnel import refusal_of
from imgsync.core.protocol.errors import InputError
from imgsync.environment import proxy_towards, warn_once

_PORTS = {"http": 80, "https": 443}

LOGIN_WANTED = 407


class ProxyRefused(httpx.ProxyError):
    """A proxy is not there, or does not let us through.

    The text is for people anywhere, and names no host; the log has that.
    """


class Outlet(httpx.AsyncBaseTransport):
    """A transport for each way.

    :param tls: whom to trust, as a server and as a proxy.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        # The first one loads the rest of httpx, which is not to be done in the time of an image.
        self._ways: dict[Proxy | None, httpx.AsyncHTTPTransport] = {None: _make_way(None, tls)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask by the way that is this URL's. Raises ProxyRefused, and what httpx raises."""
        proxy = proxy_of(request.url)
        if proxy is None:
            return await self._way(None).handle_async_request(request)
        try:
            response = await self._way(proxy).handle_async_request(request)
        except httpx.ProxyError as exc:
            # A status and its reason, of the answer to CONNECT.
            raise _refused(proxy, _explain(proxy, str(exc).partition(" ")[0])) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            if _is_of_tls(exc):
                raise
            raise _refused(proxy, "can't be reached") from None
        if response.status_code == LOGIN_WANTED:
            await response.aclose()
            raise _refused(proxy, _explain(proxy, str(LOGIN_WANTED)))
        return response

    def _way(self, proxy: Proxy | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._ways:
            self._ways[proxy] = _make_way(proxy, self._tls)
        return self._ways[proxy]

    async def aclose(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            await way.aclose()


def proxy_of(url: httpx.URL) -> Proxy | None:
    """The proxy on the way to an image. Raises ProxyRefused."""
    if url.scheme not in _PORTS:  # which httpx refuses
        return None
    try:
        return proxy_towards(Destination(url.scheme, url.host, url.port or _PORTS[url.scheme]))
    except InputError as exc:
        warn_once(str(exc))
        raise ProxyRefused("its variables for proxies name none that can be used") from None


def _explain(proxy: Proxy, status: str) -> str:
    known = status.isdecimal()
    return refusal_of(proxy, "the image's host", int(status)) if known else "broke off"


def _refused(proxy: Proxy, what: str) -> ProxyRefused:
    warn_once(f"the proxy {proxy} {what}")
    return ProxyRefused(f"the proxy {what}")


def _make_way(proxy: Proxy | None, tls: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    if proxy is None:
        return httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    auth = None if proxy.username is None else (proxy.username, proxy.password)
    through = httpx.Proxy(proxy.url, auth=auth, ssl_context=tls if proxy.tls else None)
    return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, proxy=through)


def _is_of_tls(exc: BaseException) -> bool:
    """Whether the way was open and no TLS came about on it."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
