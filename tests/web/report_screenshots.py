"""Screenshots of the report's page on a study, to be looked at by a person.

python -m tests.web.report_screenshots FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import trio

from tests.kit.albums import Album
from tests.kit.browsers import Started, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.command_lines import imgsync
from tests.kit.study_records import study_session


async def take(chromium: Started, page_file: Path, folder: Path) -> None:
    async with open_browser(chromium) as browser, browser.open_page(page_file.as_uri()) as page:
        await page.wait("document.readyState === 'complete'")
        await Album(folder, is_whole=True).take(page, "report")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, shared_chromium() as chromium:
        records = map(str, study_session().write(Path(made)))
        subprocess.run(imgsync("report", *records, "--out", made), check=True)
        trio.run(take, chromium, Path(made, "report.html"), folder)


if __name__ == "__main__":
    main()
