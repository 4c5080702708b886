"""What the doctor says of a path by the packets that it lets through."""

import pytest
import trio

from imgsync.commands.doctor.findings import Result
from imgsync.commands.doctor.paths import DIRECT, check_way
from imgsync.core.protocol.errors import InputError
from imgsync.peer.network import check_addresses
from imgsync.rtc.bridge import open_bridge
from tests.rtc.test_packets import narrow_path

WITHIN = 20.0


@pytest.mark.parametrize(("mtu", "passes", "lost"), [(1000, 965, 1065), (600, 565, 665)])
async def test_a_path_that_drops_large_packets_is_warned_of_by_name(
    monkeypatch: pytest.MonkeyPatch, mtu: int, passes: int, lost: int
) -> None:
    with narrow_path(monkeypatch, mtu), trio.fail_after(WITHIN):
        async with open_bridge() as bridge:
            finding = await check_way(bridge, DIRECT, ["127.0.0.1"])
    assert (finding.check, finding.result) == ("path", Result.WARNING)
    assert (
        f"packets of {passes} bytes get through, and of {lost} no more (path MTU)" in finding.detail
    )
    assert "one of 2 kB" in finding.detail
    assert "ICMP" in finding.advice


async def test_on_any_other_path_a_message_of_two_kilobytes_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with narrow_path(monkeypatch, 1500), trio.fail_after(WITHIN):
        async with open_bridge() as bridge:
            finding = await check_way(bridge, DIRECT, ["127.0.0.1"])
    assert finding.result is Result.OK
    assert "one of 2 kB" in finding.detail
    assert "MTU" not in finding.detail


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1", "FEBF::2%1"])
def test_an_address_of_one_link_is_refused_as_the_other_side_can_not_use_it(address: str) -> None:
    with pytest.raises(InputError, match=rf"--ice-address '{address}' means something on one link"):
        check_addresses(["::1", address])


def test_addresses_of_both_families_are_taken() -> None:
    check_addresses(["127.0.0.1", "169.254.0.1", "::1", "fd00::1", "2001:db8::1"])
