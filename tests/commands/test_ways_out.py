"""Proxies, certificates and hosts out of reach, as the commands tell of them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import trio

from imgsync.commands.doctor.examination import examine
from imgsync.commands.doctor.findings import Finding, Result
from imgsync.commands.doctor.images import check_images
from imgsync.commands.doctor.relay import Account
from imgsync.commands.doctor.ways_out import WaysOut, check_ways_out
from imgsync.commands.evaluator.intake import tell_of_images
from imgsync.commands.output import Output
from imgsync.core.network.reach import RelayPlace
from imgsync.images.sources import open_images
from imgsync.net.connect import place_of_relay
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.tasks import open_background
from tests.kit.command_lines import assert_one_complaint, client, evaluator, imgsync
from tests.kit.forks import run_fork_to_end
from tests.kit.pictures import encode
from tests.kit.processes import STRICT, run_together
from tests.kit.proxies import VARIABLES, open_proxy, set_proxies
from tests.net.test_connect import open_echo

FAR = "relay.example.org"

#: Of this process without any of the variables.
BARE = {name: value for name, value in STRICT.items() if name.lower() not in VARIABLES}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch)


def said(findings: list[Finding]) -> str:
    return "\n".join(finding.prose for finding in findings)


# ── the doctor ───────────────────────────────────────────────────────────────────────────────────


async def test_where_nothing_is_named_there_is_nothing_to_tell() -> None:
    assert await check_ways_out(f"wss://{FAR}/ws") == WaysOut([], "")


async def test_the_doctor_tells_which_proxy_is_for_what_and_tries_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_proxy() as proxy, open_echo() as port:
        here = f"http://127.0.0.1:{proxy.port}"
        values = {"http_proxy": f"ann:c0ffee@127.0.0.1:{proxy.port}", "HTTPS_PROXY": "127.0.0.1:1"}
        set_proxies(monkeypatch, **values, no_proxy="10.0.0.0/99")
        findings = [*(await check_ways_out(f"ws://{FAR}:{port}/ws")).findings]
        assert proxy.asked == [f"CONNECT {FAR}:{port} HTTP/1.1"]
    results = [(finding.check, finding.result) for finding in findings]
    ok, failed, warning = Result.OK, Result.FAILED, Result.WARNING
    assert results == [("proxy", result) for result in (ok, failed, ok, warning)]
    assert f"the relay is asked through {here} (http_proxy)" in findings[0].detail
    for words in ("TURN by TCP, TURN by TLS, images by https", "http://127.0.0.1:1", "be reached"):
        assert words in findings[1].detail
    assert f"images by http: through {here} (http_proxy)" in findings[2].detail
    assert "10.0.0.0/99" in findings[3].detail
    assert "c0ffee" not in said(findings)


async def test_a_relay_that_is_asked_directly_is_told_so_whatever_is_wrong_with_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_proxies(monkeypatch, ALL_PROXY="socks5://proxy")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    found = await check_ways_out("ws://127.0.0.1:8765/ws")
    first, second, third = found.findings
    assert found.blocked == ""
    assert "trusted" in (await check_ways_out("wss://127.0.0.1:8765/ws")).blocked
    assert (first.result, "asked directly" in first.detail) == (Result.OK, True)
    assert (second.result, "socks5" in second.detail) == (Result.FAILED, True)
    assert (third.check, third.result) == ("trust", Result.FAILED)
    assert "SSL_CERT_FILE" in third.detail
    set_proxies(monkeypatch, ALL_PROXY="http://127.0.0.1:1", NO_PROXY="*")
    findings = (await check_ways_out(f"wss://{FAR}/ws")).findings
    assert {finding.result for finding in findings[:-1]} == {Result.OK}
    assert "without a proxy" in findings[1].detail


@pytest.mark.parametrize("status", [403, 407, 502])
async def test_what_is_behind_a_proxy_that_refuses_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    findings: list[Finding] = []
    async with open_proxy() as proxy:
        proxy.status = status
        set_proxies(monkeypatch, http_proxy=f"http://127.0.0.1:{proxy.port}")
        account = Account(None, None, None)
        folder = Path("imgsync/samples")
        await examine(f"ws://{FAR}:8765/ws", account, folder, ["127.0.0.1"], findings.append)
    assert findings[0].result is Result.FAILED
    assert str(status) in findings[0].detail
    skipped = [finding.check for finding in findings if finding.result is Result.SKIPPED]
    assert skipped == ["relay", "websocket", "token", "clock"]
    # A folder is served here all the same, and fetched without the proxy.
    images = [finding.result for finding in findings if finding.check == "images"]
    assert images[0] is Result.OK
    assert len(proxy.asked) == 1


async def test_images_through_a_proxy_are_told_with_it_and_that_it_sees_their_urls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def serve(_: Request) -> Response:
        return Response(200, encode("PNG"), "image/png")

    listeners = await open_port("127.0.0.1", 0)
    async with open_proxy() as proxy, open_background() as nursery:
        await nursery.start(serve_site, Site(http=serve), listeners)
        image = f"http://images.example.org:{port_of(listeners)}/a.png"
        manifest = tmp_path / "series.json"
        manifest.write_text(json.dumps([image]))
        set_proxies(monkeypatch, http_proxy=f"127.0.0.1:{proxy.port}")
        [finding] = await check_images("ws://127.0.0.1:1/ws", manifest)
    assert finding.result is Result.WARNING
    assert f"through the proxy http://127.0.0.1:{proxy.port} (http_proxy)" in finding.detail
    assert "sees the signed URLs" in finding.advice


# ── hosts out of reach ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("as_json", [False, True])
async def test_an_evaluator_is_told_before_the_start_what_clients_may_not_fetch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    (tmp_path / "1.png").write_bytes(encode("PNG"))
    place = RelayPlace(True, FAR, "9.9.9.9")
    async with open_images(tmp_path) as images:
        # They go over the connection; who takes them by URL is told by nobody yet.
        tell_of_images(images, place, Output(as_json=as_json), "evaluator")
        assert capsys.readouterr() == ("", "")
    async with open_images(tmp_path, via="url") as images:
        tell_of_images(images, place, Output(as_json=as_json), "evaluator")
    out, err = capsys.readouterr()
    if as_json:
        [event] = map(json.loads, out.splitlines())
        assert (event["event"], event["host"]) == ("out_of_reach", "127.0.0.1")
        assert event["why"] == ["loopback"]
        assert err == ""
    else:
        assert err.startswith("evaluator: 127.0.0.1 can be reached from this machine alone; ")
        assert "manifest" in err
        assert out == ""


async def test_each_host_of_a_manifest_is_told_once_by_evaluator_and_doctor_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = ("http://10.9.9.9", "http://images.example.org", "https://images.example.org")
    manifest = tmp_path / "series.json"
    manifest.write_text(json.dumps([f"{host}/{n}.png" for host in hosts for n in range(3)]))
    # Behind a proxy, so that no name is looked up.
    set_proxies(monkeypatch, all_proxy="http://127.0.0.1:1")
    place = await place_of_relay(f"wss://{FAR}/ws")
    assert place == RelayPlace(True, FAR, None)
    literal = await place_of_relay("ws://[fd00::1]:8765/ws")
    assert literal == RelayPlace(False, "fd00::1", "fd00::1")
    async with open_images(manifest) as images:
        tell_of_images(images, place, Output(as_json=False), "evaluator")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "private network" in lines[0]
    assert "came by https" in lines[0]
    assert lines[1].startswith("evaluator: images.example.org serves by http: a page that came by")
    findings = await check_images(f"wss://{FAR}/ws", manifest)
    warnings = [f.prose for f in findings if f.result is Result.WARNING]
    assert [line.partition(": ")[2] in said(findings) for line in lines] == [True, True]
    assert len(warnings) == 2


async def test_a_relay_of_this_machine_leaves_nothing_to_tell() -> None:
    for url in ("ws://127.0.0.1:8765/ws", "wss://localhost/ws"):
        place = await place_of_relay(url)
        async with open_images(Path("imgsync/samples"), via="url") as images:
            tell_of_images(images, place, Output(as_json=False), "evaluator")


# ── the commands ─────────────────────────────────────────────────────────────────────────────────


async def test_a_variable_that_names_none_is_one_line_of_each_command_and_never_a_traceback(
    tmp_path: Path,
) -> None:
    far = f"wss://{FAR}/ws"
    missing = {"SSL_CERT_FILE": str(tmp_path / "missing")}
    cases = {
        "client": (client(far, "c"), {"ALL_PROXY": "socks5://proxy"}, "ALL_PROXY"),
        "evaluator": (evaluator(far, "c", "imgsync/samples"), {"https_proxy": "p:x"}, "port"),
        "certificates": (client("ws://127.0.0.1:1/ws", "c"), missing, "SSL_CERT_FILE"),
    }
    outcomes = await run_together(
        {
            name: partial(run_fork_to_end, name, *words, env=BARE | variables)
            for name, (words, variables, _) in cases.items()
        }
    )
    for name, (_, _, word) in cases.items():
        assert word in assert_one_complaint(name, outcomes[name])


async def test_the_doctor_says_what_is_wrong_with_variables_and_goes_on(tmp_path: Path) -> None:
    odd = {"ALL_PROXY": "http://proxy:notaport", "SSL_CERT_FILE": str(tmp_path / "missing")}
    words = imgsync("doctor", "--relay", "ws://127.0.0.1:1/ws", "--ice-address", "127.0.0.1")
    with trio.fail_after(20):
        outcome = await run_fork_to_end("doctor", *words, env=BARE | odd)
    assert outcome.code == 1
    lines = [line.split()[:2] for line in outcome.lines]
    assert lines[:4] == [
        ["ok", "proxy"],
        ["failed", "proxy"],
        ["failed", "trust"],
        ["failed", "relay"],
    ]
    assert len(outcome.errors) == 1
