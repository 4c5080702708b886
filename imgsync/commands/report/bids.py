"""The sessions as a data set of BIDS: https://bids-specification.readthedocs.io

One file of events for each session, with a row for each showing that was on the screen, and beside
it what its columns mean. The text of all files is made here; nothing is written.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

import attrs

import imgsync
from imgsync.commands.report.bids_columns import BIDS_COLUMNS, EVENT_COLUMNS, ROW_COLUMNS, Column
from imgsync.commands.report.rows import Row
from imgsync.commands.report.summary import SessionReport, utc
from imgsync.commands.report.table import as_text, extra_columns, intervals_text
from imgsync.commands.report.trial_plots import condition_of
from imgsync.core.protocol.signalling import Milliseconds

BIDS_VERSION = "1.10.0"

MAX_LABEL = 64
"""Characters of the name of a client, or of a study, in names of files: three are in one of 255."""

UNNAMED_TASK = "imgsync"
"""Of sessions that are no study."""

ABSENT = "n/a"

_NOT_IN_LABELS = re.compile("[^0-9A-Za-z]+")
_NOT_IN_CELLS = re.compile(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

README = """# Sessions of imgsync

In each session of this data set an evaluator has driven, from elsewhere, which images a
participant saw in a browser or a program, and the times at which they were on the screen were
recorded. `imgsync report` has made these files of the records of the sessions.

Each row of an events.tsv is one image, or text, that was on the screen. Its onset counts from the
first one of the session, which is at 0. The json file beside it says what each column is, and in
which unit. Images that were not shown have no row; `report.csv`, which is made of the same records
with `imgsync report`, has them, and `responses.csv` has all answers where there were several.
"""


@attrs.frozen
class Dataset:
    """What is to be written.

    :param files: their texts, by their paths in the data set.
    :param warnings: what people should know of it.
    """

    files: dict[str, str] = attrs.field(repr=False)
    warnings: list[str]


def make_dataset(reports: Sequence[SessionReport]) -> Dataset:
    """Of all sessions, in their order; a client's are its runs of a study."""
    subjects, tasks = _Labels("client", "unknown"), _Labels("study", UNNAMED_TASK)
    files: dict[str, str] = {}
    participants: dict[str, str] = {}
    runs: dict[tuple[str, str], int] = {}
    left_out = 0
    for report in reports:
        study = report.summary.study
        subject = subjects.of(report.summary.client)
        task = tasks.of(None if study is None else study.name)
        run = runs[subject, task] = runs.get((subject, task), 0) + 1
        participants[f"sub-{subject}"] = _cell(report.summary.client)
        events = _Events(report)
        left_out += len(report.rows) - len(events.rows)
        path = f"sub-{subject}/beh/sub-{subject}_task-{task}_run-{run}_events"
        files[f"{path}.tsv"] = _tsv(events.heads, events.cells())
        files[f"{path}.json"] = _json(events.describe())
    files |= _whole(reports, participants)
    warnings = [*subjects.warnings, *tasks.warnings]
    if left_out:
        they = "1 image has" if left_out == 1 else f"{left_out} images have"
        were = "it was" if left_out == 1 else "they were"
        warnings.append(
            f"{they} no row in the BIDS data set, as {were} not shown, or nobody knows when"
        )
    return Dataset(files, warnings)


def _whole(reports: Sequence[SessionReport], participants: dict[str, str]) -> dict[str, str]:
    """What is said of all sessions together."""
    studies = [one.summary.study.name for one in reports if one.summary.study is not None]
    description = {
        "Name": ", ".join(dict.fromkeys(studies)) or "Sessions of imgsync",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "imgsync", "Version": imgsync.__version__}],
    }
    heads = {
        "participant_id": Column("The participant, by the label that stands in names of files."),
        "client_id": Column("The id of the client on which the images were shown."),
    }
    return {
        "dataset_description.json": _json(description),
        "README.md": README,
        "participants.tsv": _tsv(heads, participants.items()),
        "participants.json": _json({name: one.described for name, one in heads.items()}),
    }


class _Labels:
    """What stands in names of files for a name: it has letters and digits only, and is no other's,
    also where small and capital letters are all one."""

    def __init__(self, what: str, unnamed: str) -> None:
        self.warnings: list[str] = []
        self._what = what
        self._unnamed = unnamed
        self._labels: dict[str | None, str] = {}

    def of(self, name: str | None) -> str:
        if name not in self._labels:
            self._labels[name] = self._find(name)
        return self._labels[name]

    def _find(self, name: str | None) -> str:
        used = {label.lower() for label in self._labels.values()}
        plain = _NOT_IN_LABELS.sub("", name or "")[:MAX_LABEL] or self._unnamed
        label, number = plain, 1
        while label.lower() in used:
            number += 1
            label = f"{plain}x{number}"
        if number > 1:
            self.warnings.append(
                f"the {self._what} {name!r} is called {label} in the BIDS data set, as another one"
                f" is called {plain} there"
            )
        return label


class _Events:
    """The events of a session.

    :param rows: those that were on the screen, in the order of their onsets.
    """

    def __init__(self, report: SessionReport) -> None:
        #: The client's clock needs no estimate, but it may have been set, or be another one since
        #: its page was loaded again.
        self._is_clients = len(report.history.spans) <= 1
        shown = (row for row in report.rows if self._shown_at(row) is not None)
        self.rows = sorted(shown, key=self._onset)
        study = report.summary.study
        self._task = UNNAMED_TASK if study is None else study.name
        self._displays = report.tables.displays
        self._zero = self._onset(self.rows[0]) if self.rows else 0.0
        self._extra = extra_columns(self.rows, [*EVENT_COLUMNS, *BIDS_COLUMNS, *ROW_COLUMNS])

    def _shown_at(self, row: Row) -> Milliseconds | None:
        return row.shown_at if self._is_clients else row.shown_at_evaluator

    def _onset(self, row: Row) -> Milliseconds:
        at = self._shown_at(row)
        assert at is not None
        return at

    @property
    def heads(self) -> list[str]:
        return [*EVENT_COLUMNS, *ROW_COLUMNS, *map(_cell, self._extra.values())]

    def cells(self) -> Iterator[list[str]]:
        """Row by row."""
        for row in self.rows:
            yield [
                _seconds(self._onset(row) - self._zero),
                _seconds(row.exposure_ms),
                _cell(condition_of(row) or ("text" if row.is_text else "image")),
                _seconds(row.reaction_time),
                ABSENT,
                *(_cell(getattr(row, name)) for name in ROW_COLUMNS),
                *(_cell(row.extra.get(name)) for name in self._extra),
            ]

    def describe(self) -> dict[str, object]:
        """The columns, and how it was shown."""
        of_manifest = Column("What the manifest, or the study, says of the image under this name.")
        columns = EVENT_COLUMNS | ROW_COLUMNS
        columns |= {_cell(head): of_manifest for head in self._extra.values()}
        described = {name: column.described for name, column in columns.items()}
        clock = "client's" if self._is_clients else "evaluator's"
        described["onset"]["Description"] += (
            f" It is of the {clock} clock, by which 0 is {utc(self._zero)} UTC."
        )
        systems = [one.system for one in self._displays if one.system is not None]
        return {
            "TaskName": self._task,
            **described,
            "StimulusPresentation": {
                "OperatingSystem": systems[-1] if systems else ABSENT,
                "SoftwareName": "imgsync",
                "SoftwareVersion": imgsync.__version__,
            },
        }


def _seconds(ms: Milliseconds | None) -> str:
    """To the microsecond; no clock of a page has finer steps."""
    return ABSENT if ms is None else as_text(round(ms / 1000, 6))


def _cell(value: object) -> str:
    """Of a table whose columns are divided by tabs, and its rows by line breaks."""
    text = intervals_text(value) if isinstance(value, tuple) else as_text(value)
    return _NOT_IN_CELLS.sub(" ", text).strip() or ABSENT


def _tsv(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in (heads, *rows))


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
