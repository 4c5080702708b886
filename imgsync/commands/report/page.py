"""The page: one HTML file that needs nothing else, for screens and for paper.

What comes from records, names and URLs, is escaped; pictures are in `img` elements, in which a
browser runs nothing.
"""

import base64
from collections.abc import Iterable, Sequence
from html import escape

from imgsync.commands.report.html import table
from imgsync.commands.report.pictures import PictureChanged, Version, describe_bytes
from imgsync.commands.report.plots import Picture
from imgsync.commands.report.rows import Row, name_of
from imgsync.commands.report.summary import SessionReport, describe_duration, facts, utc
from imgsync.commands.report.trial_page import trial_tables
from imgsync.commands.report.words import (
    describe_extra,
    describe_outcome,
    describe_path,
    describe_trouble,
)

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>imgsync report</title>
<style>
/* Pictures are of dark ink: a browser that makes pages dark is to leave this one. */
:root { color-scheme: only light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.3rem; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
section { border-top: 1px solid #ccc; padding: 1.2rem 0 1.6rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
  gap: .5rem 1.5rem; margin: 0; }
dt { color: #666; font-size: .82rem; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
  gap: 1.4rem 2rem; margin: 1.4rem 0 0; }
figure { margin: 0; break-inside: avoid; }
figure img { width: 100%; max-width: 30rem; display: block; }
figcaption { color: #555; font-size: .85rem; margin-top: .4rem; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e4e4e4;
  vertical-align: top; font-variant-numeric: tabular-nums; }
td { overflow-wrap: break-word; max-width: 20rem; }
.wide { overflow-x: auto; }
@media (max-width: 40rem) {
  .wide table { width: max-content; min-width: 100%; }
  td { max-width: 12rem; }
}
th { color: #666; font-weight: normal; white-space: nowrap; }
ul.warnings { background: #fff6dc; padding: .6rem 1rem .6rem 2rem; margin: 0 0 1rem; }
footer { color: #666; font-size: .82rem; border-top: 1px solid #ccc; padding-top: .6rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  section + section { break-before: page; }
}
@page { margin: 15mm; }
</style>
</head>
<body>
<h1>imgsync report</h1>
"""

_TAIL = """<footer>All times are UTC and the evaluator's clock. ± is the median of how wrong a
figure can be, as far as the offset between the two clocks is known.</footer>
</body>
</html>
"""


def make_page(
    sessions: Iterable[tuple[SessionReport, Sequence[Picture]]],
    warnings: Sequence[str],
    changed: Sequence[PictureChanged] = (),
) -> Iterable[str]:
    """The page in pieces."""
    yield _HEAD
    if warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
        yield f'<ul class="warnings">{items}</ul>\n'
    yield table(
        "Images that were not the same picture in all showings",
        ("image", *_VERSION_HEADS, "first shown"),
        [
            (one.image_url, *_describe_version(version), utc(version.first))
            for one in changed
            for version in one.versions
        ],
    )
    for report, pictures in sessions:
        yield from _section(report, pictures)
    yield _TAIL


def _section(report: SessionReport, pictures: Sequence[Picture]) -> Iterable[str]:
    summary = report.summary
    title = f"{summary.evaluator or 'unknown'} → {summary.client or 'unknown'}"
    if summary.begin is not None:
        title += f", {utc(summary.begin)[:16]}"
    yield f"<section>\n<h2>{escape(title)}</h2>\n<dl>\n"
    in_words = {"path": ", ".join(map(describe_path, summary.paths))}
    for name, figure in facts(summary):
        value = in_words.get(name, figure)
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(value) or '-'}</dd></div>\n"
    yield '</dl>\n<div class="pictures">\n'
    for picture in pictures:
        source = base64.b64encode(picture.svg.encode()).decode()
        caption = escape(picture.caption)
        yield (
            f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{source}">'
            f"<figcaption>{caption}</figcaption></figure>\n"
        )
    yield "</div>\n"
    yield table(
        "Interruptions",
        ("from", "for", "why"),
        [
            (utc(one.begin), describe_duration(one.end - one.begin), one.why)
            for one in summary.interruptions
        ],
    )
    yield table(
        "Recording of the participant",
        ("from", "recorded by", "what was the matter"),
        [
            (
                *(utc(one.at), " and ".join(one.devices) or "no device"),
                "; ".join(map(describe_trouble, one.troubles)),
            )
            for one in summary.recordings
        ],
    )
    yield from trial_tables(report)
    yield _missing(report.rows)
    yield table(
        "Pictures",
        ("image", *_VERSION_HEADS),
        [
            (name_of(url), *_describe_version(version))
            for url, versions in report.versions.items()
            for version in versions
        ],
    )
    yield "</section>\n"


_VERSION_HEADS = ("SHA-256", "type", "pixels", "size", "showings")


def _describe_version(version: Version) -> tuple[str, ...]:
    size = describe_bytes(version.bytes)
    return (version.short, version.type, version.pixels, size, str(version.showings))


def _missing(rows: Sequence[Row]) -> str:
    """Of images that were not shown, with what a manifest says of them, where one does."""
    heads = ("index", "image", "sent", "why", "in the manifest")
    cells = [
        (
            *(str(row.image_index), row.image_url or "", utc(row.sent_at), why),
            describe_extra(row.extra),
        )
        for row in rows
        if (why := describe_outcome(row.outcome, row.failed_reason, row.failed_detail))
    ]
    width = len(heads) if any(row[-1] for row in cells) else len(heads) - 1
    return table("Images that were not shown", heads[:width], [row[:width] for row in cells])
