"""How long does `imgsync report` take for a session of three hours, and a record's one line?

The report: two records of a session with 10,000 images and 5,400 probes of each side, one every
2 s, some 80,000 lines; from the start of the process to its end, with its table and its page, and
the largest resident size of that process. The line: one `journal.write` in a Trio program, that is
the event's JSON and the `os.write`, to a file in DIR, with an fsync a second as always.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
import trio

from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import Acked
from imgsync.journal.writer import open_journal

IMAGES = 10_000
PROBES = 5_400
WRITES = 20_000
QUICK_SHARE = 0.1  # of all of these
PAUSE = 0.0002  # s between two writes, so that some fsyncs run meanwhile


def measure_report(folder: Path, share: float) -> tuple[float, float]:
    """Seconds, and the MB of the process."""
    harness.use_tests()
    from tests.kit.records import long_session

    logs = long_session(round(IMAGES * share), round(PROBES * share)).write(folder)
    begin = time.perf_counter()
    command = [sys.executable, "-m", "imgsync", "report", *map(str, logs), "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    took = time.perf_counter() - begin
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


async def measure_writes(path: Path, count: int) -> list[float]:
    """Microseconds of each."""
    times = []
    async with open_journal(path, role=Role.EVALUATOR, user_id="bench") as journal:
        for index in range(count):
            sent_at = 1.8e12 + index
            event = Acked("s" * 22, index, sent_at, sent_at + 1, sent_at + 2, 2.0, 1.0, 0.5)
            begin = time.perf_counter()
            journal.write(event)
            times.append((time.perf_counter() - begin) * 1e6)
            await trio.sleep(PAUSE)
    return times


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--dir", help="where to write; a temporary folder by default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.dir) as name:
        share = QUICK_SHARE if args.quick else 1.0
        took, resident = measure_report(Path(name), share)
        line = Path(name) / "line.jsonl"
        times = trio.run(measure_writes, line, round(WRITES * share))
    figures = {
        "report_s": round(took, 2),
        "report_mb": round(resident),
        "write_median_us": round(harness.percentile(times, 50), 1),
        "write_p99_us": round(harness.percentile(times, 99), 1),
        "write_max_us": round(max(times), 1),
    }
    rows = [
        ["a report", [figures["report_s"], "s"]],
        ["its memory", [figures["report_mb"], "MB"]],
        ["a line, median", [figures["write_median_us"], "us"]],
        ["a line, p99", [figures["write_p99_us"], "us"]],
        ["a line, longest", [figures["write_max_us"], "us"]],
    ]
    tables = {"report": {"heads": ["what", "measured"], "rows": rows}}
    harness.emit({"bench": "report", **figures, "tables": tables}, args.json)


if __name__ == "__main__":
    harness.run(main)
