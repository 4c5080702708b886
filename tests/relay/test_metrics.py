"""What the relay counts, read back by the library's own parser."""

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

import imgsync
from imgsync.core.protocol.signalling import CloseCode, EndReason, ErrorCode, Role
from imgsync.distribution import installed_version, missing_extra
from imgsync.relay.metrics import (
    CONTENT_TYPE,
    HANDSHAKE_BUCKETS,
    Metrics,
    drop_reason,
)

Samples = dict[tuple[str, str], float]

BAD_ENDS = [code for code in CloseCode if code != CloseCode.NORMAL]

LABELS = {
    "imgsync_registered": {"evaluator", "client"},
    "imgsync_sessions_ended_total": {
        *("ended", "replaced", "peer_gone", "token_expired"),
        *("connect_timeout", "negotiation_failed", "connection_lost", "unsupported"),
    },
    "imgsync_errors_total": {code.value for code in ErrorCode},
    "imgsync_drops_total": {code.name.lower() for code in BAD_ENDS} | {"other"},
    "imgsync_connects_refused_total": {
        *("address_full", "address_rate", "draining", "full", "head", "origin", "other"),
    },
    "imgsync_handshake_seconds_bucket": {*map(str, HANDSHAKE_BUCKETS), "+Inf"},
    "imgsync_connections": {""},
    "imgsync_connections_opened_total": {""},
    "imgsync_connections_shed_total": {""},
    "imgsync_sessions": {""},
    "imgsync_sessions_started_total": {""},
    "imgsync_sessions_resumed_total": {""},
    "imgsync_signals_forwarded_total": {""},
    "imgsync_signals_dropped_total": {""},
    "imgsync_handshake_seconds_count": {""},
    "imgsync_handshake_seconds_sum": {""},
}
"""Every series of ours but the version, by its one label."""


def scrape(metrics: Metrics) -> Samples:
    """Our samples, by name and label value."""
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if family.name.startswith("imgsync")
    }


def changes(metrics: Metrics) -> Samples:
    """What is not 0."""
    info = ("imgsync_info", installed_version())
    return {key: value for key, value in scrape(metrics).items() if value and key != info}


def test_every_series_is_there_from_the_start_and_0() -> None:
    samples = scrape(Metrics())
    assert samples.pop(("imgsync_info", installed_version())) == 1
    assert set(samples) == {(name, value) for name, values in LABELS.items() for value in values}
    assert not any(samples.values())


def test_the_version_is_that_of_the_package_where_it_is_installed() -> None:
    assert installed_version() in (imgsync.__version__, "unknown")


def test_every_family_has_a_type_a_sentence_and_a_name_by_the_conventions() -> None:
    text = Metrics().render().decode()
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "histogram")
        assert f"# TYPE {family.name}{'_total' * (family.type == 'counter')} " in text


def test_what_is_counted_comes_out() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.connection_opened()
    metrics.connection_closed()
    metrics.registered(Role.EVALUATOR)
    metrics.registered(Role.CLIENT)
    metrics.unregistered(Role.CLIENT)
    metrics.signals["forwarded"] += 1
    metrics.signals["dropped"] += 2
    metrics.error(ErrorCode.NO_SESSION)
    metrics.drop("too_slow")
    metrics.connect_refused("origin")
    assert changes(metrics) == {
        ("imgsync_connections", ""): 2,
        ("imgsync_connections_opened_total", ""): 3,
        ("imgsync_registered", "evaluator"): 1,
        ("imgsync_signals_forwarded_total", ""): 1,
        ("imgsync_signals_dropped_total", ""): 2,
        ("imgsync_errors_total", "no_session"): 1,
        ("imgsync_drops_total", "too_slow"): 1,
        ("imgsync_connects_refused_total", "origin"): 1,
    }


def test_sessions_that_live_are_those_started_without_those_ended() -> None:
    metrics = Metrics()
    for _ in range(4):
        metrics.session_started()
    metrics.session_resumed()
    metrics.session_ended(EndReason.PEER_GONE)
    metrics.session_ended(EndReason.ENDED)
    metrics.session_ended(EndReason.ENDED)
    assert changes(metrics) == {
        ("imgsync_sessions", ""): 1,
        ("imgsync_sessions_started_total", ""): 4,
        ("imgsync_sessions_resumed_total", ""): 1,
        ("imgsync_sessions_ended_total", "peer_gone"): 1,
        ("imgsync_sessions_ended_total", "ended"): 2,
    }


def test_handshakes_fall_into_cumulative_buckets_with_their_bounds_included() -> None:
    metrics = Metrics()
    for seconds in (0.004, 0.01, 0.02, 30.0, 31.0):
        metrics.handshake(seconds)
    samples = scrape(metrics)
    name = "imgsync_handshake_seconds"
    buckets = [samples[f"{name}_bucket", str(bound)] for bound in HANDSHAKE_BUCKETS]
    assert buckets == [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]
    assert samples[f"{name}_bucket", "+Inf"] == samples[f"{name}_count", ""] == 5
    assert samples[f"{name}_sum", ""] == pytest.approx(61.034)


@pytest.mark.parametrize("code", BAD_ENDS)
def test_every_close_code_that_is_no_good_end_has_its_label(code: CloseCode) -> None:
    metrics = Metrics()
    metrics.drop(drop_reason(code))
    assert changes(metrics) == {("imgsync_drops_total", code.name.lower()): 1}


def test_what_peers_make_up_adds_no_series() -> None:
    metrics = Metrics()
    for code in range(2999, 3100):
        metrics.drop(drop_reason(code))
    metrics.connect_refused('a"} 1\nforged{b="')
    assert changes(metrics) == {
        ("imgsync_drops_total", "other"): 101,
        ("imgsync_connects_refused_total", "other"): 1,
    }


def test_the_process_is_described_too() -> None:
    text = Metrics().render().decode()
    assert "process_resident_memory_bytes" in text
    assert "python_gc" not in text


def test_the_content_type_is_that_of_the_text_format() -> None:
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


# ── what is loaded, and when ─────────────────────────────────────────────────────────────────────


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


COUNT = """
import sys
from imgsync.core.protocol.signalling import EndReason, ErrorCode, Role
from imgsync.relay.metrics import Metrics
metrics = Metrics()
metrics.connection_opened()
metrics.registered(Role.CLIENT)
metrics.session_started()
metrics.session_ended(EndReason.ENDED)
metrics.error(ErrorCode.FORBIDDEN)
metrics.drop("too_slow")
metrics.handshake(0.1)
"""


def test_the_library_is_loaded_by_the_first_scrape() -> None:
    look = "print('prometheus_client' in sys.modules)\n"
    assert run(f"{COUNT}{look}metrics.render()\n{look}").split() == ["False", "True"]


def test_without_the_library_all_is_counted_and_a_scrape_names_the_extra() -> None:
    scrape_twice = """
from imgsync.core.protocol.errors import MissingExtra
for _ in range(2):
    try:
        metrics.render()
    except MissingExtra as exc:
        print(exc)
"""
    said = run(f"import sys\nsys.modules['prometheus_client'] = None\n{COUNT}{scrape_twice}")
    assert said.splitlines() == [str(missing_extra("metrics need prometheus-client", "relay"))] * 2
    assert "'prometheus-client>=" in said
