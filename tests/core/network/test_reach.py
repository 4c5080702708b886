"""What is in the way of clients to a host of images, by where the relay is."""

import pytest

from imgsync.core.network.reach import Obstacle, RelayPlace, find_obstacles

LOOPBACK, PRIVATE, MIXED = Obstacle.LOOPBACK, Obstacle.PRIVATE, Obstacle.MIXED

HERE = RelayPlace(False, "127.0.0.1", "127.0.0.1")
NAMED_HERE = RelayPlace(True, "localhost", "::1")
LAB = RelayPlace(False, "10.0.0.1", "10.0.0.1")
LAB_TLS = RelayPlace(True, "relay.lab.example", "10.0.0.1")
PUBLIC = RelayPlace(False, "9.9.9.9", "9.9.9.9")
PUBLIC_TLS = RelayPlace(True, "relay.example.org", "2620:fe::fe")
BEHIND_A_PROXY = RelayPlace(True, "relay.example.org", None)


@pytest.mark.parametrize(
    ("relay", "scheme", "host", "expected"),
    [
        (HERE, "http", "127.0.0.1", []),
        (HERE, "http", "10.0.0.2", []),
        (NAMED_HERE, "http", "127.0.0.1", []),
        (NAMED_HERE, "http", "10.0.0.2", []),
        (LAB, "http", "10.0.0.2", []),
        (LAB, "http", "fd00::2", []),
        (LAB, "http", "127.0.0.1", [LOOPBACK]),
        (LAB, "https", "[::1]", [LOOPBACK]),
        (LAB_TLS, "http", "10.0.0.2", [MIXED]),
        (LAB_TLS, "https", "10.0.0.2", []),
        (LAB_TLS, "http", "images.example.org", [MIXED]),
        (LAB_TLS, "http", "localhost", [LOOPBACK]),
        (PUBLIC, "http", "10.0.0.2", [PRIVATE]),
        (PUBLIC, "http", "100.64.0.1", [PRIVATE]),
        (PUBLIC, "http", "::ffff:10.0.0.2", [PRIVATE]),
        (PUBLIC, "http", "[fd00::2]", [PRIVATE]),
        (PUBLIC, "http", "169.254.3.4", [PRIVATE]),
        (PUBLIC, "http", "8.8.8.8", []),
        (PUBLIC, "http", "images.example.org", []),
        (PUBLIC_TLS, "http", "10.0.0.2", [PRIVATE, MIXED]),
        (PUBLIC_TLS, "https", "10.0.0.2", [PRIVATE]),
        (PUBLIC_TLS, "http", "8.8.8.8", [MIXED]),
        (PUBLIC_TLS, "https", "images.example.org", []),
        (PUBLIC_TLS, "http", "127.0.0.1", [LOOPBACK]),
        (BEHIND_A_PROXY, "http", "10.0.0.2", [PRIVATE, MIXED]),
        (BEHIND_A_PROXY, "https", "images.example.org", []),
    ],
)
def test_what_is_in_the_way(
    relay: RelayPlace, scheme: str, host: str, expected: list[Obstacle]
) -> None:
    assert find_obstacles(relay, scheme, host) == expected


@pytest.mark.parametrize("obstacle", Obstacle)
def test_each_is_told_with_its_host(obstacle: Obstacle) -> None:
    assert "10.0.0.2" in obstacle.in_words("10.0.0.2")
