"""Fixtures of the tests of WebRTC."""

import pytest
from aioice import ice


@pytest.fixture
def loopback_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
