"""How long does `imgsync report` take for a session of three hours, and a record's one line?

The report: two records of a session with 10,000 images and 5,400 probes of each side, one every
2 s, some 80,000 lines; from the start of the process to its end, with its table and its page, and
the largest resident size of that process. The line: one `journal.write` in a Trio program, that is
the event's JSON and the `os.write`, to a file in DIR, with an fsync a second as always.
"""

import argparse
import json
import resource
import statistics
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
PAUSE = 0.0002  # s between two writes, so that some fsyncs run meanwhile


def measure_report(folder: Path) -> tuple[float, float]:
    """Seconds, and the MB of the process."""
    sys.path.insert(0, str(harness.BENCH.parent))
    from tests.kit.records import long_session

    logs = long_session(IMAGES, PROBES).write(folder)
    begin = time.perf_counter()
    command = [sys.executable, "-m", "imgsync", "report", *map(str, logs), "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    took = time.perf_counter() - begin
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


async def measure_writes(path: Path) -> list[float]:
    """Microseconds of each."""
    times = []
    async with open_journal(path, role=Role.EVALUATOR, user_id="bench") as journal:
        for index in range(WRITES):
            sent_at = 1.8e12 + index
            event = Acked("s" * 22, index, sent_at, sent_at + 1, sent_at + 2, 2.0, 1.0, 0.5)
            begin = time.perf_counter()
            journal.write(event)
            times.append((time.perf_counter() - begin) * 1e6)
            await trio.sleep(PAUSE)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", help="where to write; a temporary folder by default")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.dir) as name:
        took, resident = measure_report(Path(name))
        times = sorted(trio.run(measure_writes, Path(name) / "line.jsonl"))
    figures = {
        "report_s": round(took, 2),
        "report_mb": round(resident),
        "write_median_us": round(statistics.median(times), 1),
        "write_p99_us": round(times[int(len(times) * 0.99)], 1),
        "write_max_us": round(times[-1], 1),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for figure, value in figures.items():
        print(f"{figure:<16} {value:>10}")


if __name__ == "__main__":
    main()
