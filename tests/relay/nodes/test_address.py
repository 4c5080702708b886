"""URLs of Redis as people write them."""

import ssl
from pathlib import Path

import pytest
import trustme

from imgsync.core.protocol.errors import InputError
from imgsync.relay.nodes.address import Address, read_address

FORMS = {
    "redis://redis": Address("redis"),
    "redis://redis:7000/": Address("redis", 7000),
    "redis://[::1]:7000/2": Address("::1", 7000, database=2),
    "redis://redis?db=3": Address("redis", database=3),
    "redis://:p%40ss@redis": Address("redis", password="p@ss"),
    "redis://us%3Aer:pass@redis": Address("redis", username="us:er", password="pass"),
    "unix:///run/redis%20it.sock?db=1": Address(path="/run/redis it.sock", database=1),
    "unix://:pass@/run/redis.sock": Address(path="/run/redis.sock", password="pass"),
}

REFUSED = {
    "redis:6379": "doesn't say where it is",
    "localhost:6379": "another form",
    "http://redis": "another form",
    "redis://redis:0": "another form",
    "redis://redis:hunter2": "can't be read",
    "redis://redis:99999": "can't be read",
    "redis://[::1": "can't be read",
    "redis://redis?hunter2": "can't be read",
    "redis:///1": "doesn't say where it is",
    "unix://": "doesn't say where it is",
    "redis://redis/one": "'one' is none",
    "redis://redis?db=-1": "'-1' is none",
    "redis://redis?timeout=3": "'timeout'.* may stand there is db",
    "redis://redis?ssl_ca_certs=x": "'ssl_ca_certs'",
    "rediss://redis?ssl_ca_certs=/nowhere": "can't be used: .*No such file",
    "rediss://redis?ssl_ca=x": "'ssl_ca'.* ssl_ca_certs",
}


@pytest.mark.parametrize("url", FORMS)
def test_what_redis_is_called_is_understood(url: str) -> None:
    assert read_address(url) == FORMS[url]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_no_address_of_redis_is_refused_with_what_would_be(url: str) -> None:
    with pytest.raises(InputError, match=REFUSED[url]) as raised:
        read_address(url)
    assert "hunter2" not in str(raised.value)


def test_a_password_apart_goes_before_that_of_the_url_and_neither_is_shown() -> None:
    address = read_address("redis://user:inside@[::1]", "apart")
    assert address == Address("::1", username="user", password="apart")
    assert "apart" not in repr(address)
    assert str(address) == "[::1]:6379"


def test_tls_checks_whom_it_speaks_to_with_whichever_authority(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    for url in "rediss://redis", f"rediss://redis?ssl_ca_certs={tmp_path}/ca.pem":
        context = read_address(url).tls
        assert context is not None
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
    assert read_address("redis://redis").tls is None
