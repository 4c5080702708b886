"""Draw the sample stimuli: `python -m imgsync.samples.draw [FOLDER]`.

Standard library alone, no randomness, so a second run gives the same bytes. Points are in pixels
from the middle of the picture, x to the right and y up. Gray levels are proportional to luminance,
as on a linearised display; for measurement, calibrate the client's screen first. Degrees depend on
its size and distance, so only proportions are right by construction.
"""

import argparse
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

Field: TypeAlias = Callable[[float, float], float]
"""A gray level, 0 to 255, at a point."""

SIZE: Final = 512
BLACK: Final = 0
WHITE: Final = 255
# 128 with 127 to either side: the mean is an exact level, so a pattern and the bare background
# have the same mean luminance.
MEAN: Final = 128
SWING: Final = 127
SUBSAMPLES: Final = 8

# Landolt ring: stroke and gap are 1/5 of the outer diameter, the gap's sides are parallel, and it
# may point in eight directions (ISO 8596). In units of one gap:
RING_OUTER: Final = 2.5
RING_INNER: Final = 1.5
RING_DIAMETER: Final = 5

LOGMAR_STEP: Final = 10**0.1

# Directions of the gaps in eighths of a turn, counter-clockwise from the right.
ACUITY_ROWS: Final = (
    "04263", "61507", "25740", "73162", "40635", "16274",
    "52013", "37461", "60524", "14730", "72615",
)  # fmt: skip
CONTRAST_ROWS: Final = ("260471", "537204", "641735", "025163", "472650", "316074", "750362")


def level(contrast: float) -> float:
    """Gray level of a signed contrast, -1 to 1, about the mean."""
    return MEAN + SWING * contrast


def sample(field: Field) -> list[bytes]:
    """Rows of gray levels, one look at the middle of each pixel."""
    middles = [i + 0.5 - SIZE / 2 for i in range(SIZE)]
    return [bytes(round(field(x, -y)) for x in middles) for y in middles]


def sample_smooth(field: Field) -> list[bytes]:
    """Rows of gray levels, averaged over the pixel wherever an edge of the field is near."""
    edges = [i - SIZE / 2 for i in range(SIZE + 1)]
    corners = [[field(x, -y) for x in edges] for y in edges]

    def shade(row: int, column: int) -> int:
        # One pixel beyond its own corners: a curve can bulge into a pixel between them.
        near = slice(max(0, column - 1), column + 3)
        levels = {value for line in corners[max(0, row - 1) : row + 3] for value in line[near]}
        return round(levels.pop() if len(levels) == 1 else average(field, row, column))

    return [bytes(shade(row, column) for column in range(SIZE)) for row in range(SIZE)]


def average(field: Field, row: int, column: int) -> float:
    """Mean gray level of one pixel."""
    steps = [(i + 0.5) / SUBSAMPLES - SIZE / 2 for i in range(SUBSAMPLES)]
    total = math.fsum(field(column + dx, -(row + dy)) for dy in steps for dx in steps)
    return total / SUBSAMPLES**2


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode_png(rows: Sequence[bytes]) -> bytes:
    """An 8-bit PNG of square size: gray for rows of SIZE bytes, RGB for three times as many."""
    colour_type = {SIZE: 0, 3 * SIZE: 2}[len(rows[0])]
    header = struct.pack(">IIBBBBB", SIZE, len(rows), 8, colour_type, 0, 0, 0)
    above = [bytes(len(rows[0])), *rows]
    # Filter 2, "up": smooth gratings then compress several times better than unfiltered.
    lines = (
        b"\x02" + bytes((here - over) & 0xFF for here, over in zip(row, last, strict=True))
        for row, last in zip(rows, above, strict=False)
    )
    pixels = zlib.compress(b"".join(lines), 9)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encode_svg(side: float, background: str, body: Sequence[str]) -> bytes:
    """A square SVG of `side` user units, shown 1000 pixels wide unless scaled."""
    lines = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="1000"'
        f' viewBox="0 0 {side:g} {side:g}">',
        f'<rect width="{side:g}" height="{side:g}" fill="{background}"/>',
        *body,
        "</svg>",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def on_ring(x: float, y: float, diameter: float, direction: int) -> bool:
    """Whether a point, from the ring's middle, is on the black of a Landolt ring."""
    gap = diameter / RING_DIAMETER
    if not RING_INNER * gap <= math.hypot(x, y) <= RING_OUTER * gap:
        return False
    turn = direction * math.tau / 8
    along = x * math.cos(turn) + y * math.sin(turn)
    across = y * math.cos(turn) - x * math.sin(turn)
    return not (along > 0 and abs(across) < gap / 2)


def on_target(x: float, y: float, diameter: float) -> bool:
    """Whether a point is on the black of a fixation target of bull's eye and cross hair.

    The steadiest of seven common shapes; dot and cross are 1/3 of the outer diameter (0.2 and
    0.6 degrees): Thaler et al. 2013, https://doi.org/10.1016/j.visres.2012.10.012.
    """
    radius, arm = math.hypot(x, y), diameter / 6
    return radius <= arm or (radius <= diameter / 2 and min(abs(x), abs(y)) > arm)


def fixation_cross() -> bytes:
    """A fixation target on mean gray."""
    return encode_png(sample_smooth(lambda x, y: BLACK if on_target(x, y, 48) else MEAN))


def ring_path() -> str:
    """SVG path of a Landolt ring open to the right, in units of one gap, about 0, 0."""
    outer, inner = (math.sqrt(radius**2 - 0.25) for radius in (RING_OUTER, RING_INNER))
    return (
        f"M{outer:.4f}-.5A{RING_OUTER} {RING_OUTER} 0 1 0 {outer:.4f} .5"
        f"H{inner:.4f}A{RING_INNER} {RING_INNER} 0 1 1 {inner:.4f}-.5Z"
    )


def optotype_chart() -> bytes:
    """Landolt rings from logMAR 1.0 to 0.0; one user unit is 1 minute of arc at that distance.

    Five to a row, a ring's width apart, rows 0.1 log units apart in size and spaced by the height
    of the smaller: Bailey & Lovie 1976, https://doi.org/10.1097/00006324-197611000-00006.
    """
    gaps = [LOGMAR_STEP**step for step in reversed(range(len(ACUITY_ROWS)))]
    height = RING_DIAMETER * (sum(gaps) + sum(gaps[1:]))
    side = RING_DIAMETER * gaps[0] * 10
    body, top = [], (side - height) / 2
    for gap, directions in zip(gaps, ACUITY_ROWS, strict=True):
        middle = top + RING_OUTER * gap
        body.append(f'<g transform="translate({side / 2:g} {middle:.4f}) scale({gap:.5f})">')
        body += [
            f'<path transform="translate({(i - 2) * 2 * RING_DIAMETER}) rotate({-45 * int(d)})"'
            f' d="{ring_path()}"/>'
            for i, d in enumerate(directions)
        ]
        body.append("</g>")
        # The ring's own height, then a space as high as the next ring.
        top += RING_DIAMETER * gap * (1 + 1 / LOGMAR_STEP)
    return encode_svg(side, "#fff", body)


def grating_vertical() -> bytes:
    """A full-field sinusoidal grating of 4 whole cycles, so that its mean is the mean gray."""
    return encode_png(sample(lambda x, _y: level(math.sin(math.tau * 4 * x / SIZE))))


def grating_gabor() -> bytes:
    """A Gabor patch in cosine phase, its bars 45 degrees counter-clockwise from horizontal.

    The envelope's standard deviation is one period, as in Polat & Sagi 1993,
    https://doi.org/10.1016/0042-6989(93)90081-7. It is a quarter of the picture's half-width, so
    that the patch has faded to the exact mean before the border.
    """
    sigma = SIZE / 8

    def field(x: float, y: float) -> float:
        carrier = math.cos(math.tau * (y - x) / math.sqrt(2) / sigma)
        return level(carrier * math.exp(-(x * x + y * y) / (2 * sigma**2)))

    return encode_png(sample(field))


def checkerboard() -> bytes:
    """A pattern-reversal checkerboard: as many light as dark checks, red dot at a corner of four.

    The fixation point's place is that of the ISCEV standard for visual evoked potentials, Odom et
    al. 2016, https://doi.org/10.1007/s10633-016-9553-y; 16 checks of 1 degree pass its 15 degrees.
    """
    check = SIZE / 16
    board = sample(lambda x, y: level(1 if (x // check + y // check) % 2 else -1))
    dot = sample_smooth(lambda x, y: WHITE if math.hypot(x, y) <= 6 else BLACK)
    return encode_png([redden(*rows) for rows in zip(board, dot, strict=True)])


def redden(grays: bytes, covers: bytes) -> bytes:
    """An RGB row: gray, with red laid over it as thickly as `covers` says."""
    left = [gray * (WHITE - cover) // WHITE for gray, cover in zip(grays, covers, strict=True)]
    return b"".join(
        bytes((gray + cover, gray, gray)) for gray, cover in zip(left, covers, strict=True)
    )


def ring_wedge() -> bytes:
    """A retinotopic mapping frame: wedge and ring of a polar checkerboard, shown together.

    The configuration is that of Alvarez et al. 2015, https://doi.org/10.3389/fnhum.2015.00096.
    Bands widen with eccentricity by the angle of a sector, which makes the checks square and
    follows the log scaling of the visual cortex, Schwartz 1977, Biol. Cybern. 25, 181-194. An even
    number of sectors keeps the mean at the background's gray.
    """
    sector, rim = math.tau / 24, SIZE / 2 - 8

    def field(x: float, y: float) -> float:
        if on_target(x, y, 24):
            return BLACK
        band = math.floor(math.log(rim / max(1, math.hypot(x, y))) / sector)
        angle = math.floor(math.atan2(y, x) % math.tau / sector)
        shown = 0 <= band < 9 and (angle in range(1, 5) or band in range(3, 5))
        return level((1 if (band + angle) % 2 else -1) if shown else 0)

    return encode_png(sample_smooth(field))


def contrast_steps() -> bytes:
    """Landolt rings of one size in triplets, each 0.15 log units lower in Weber contrast.

    The steps and the white ground are those of Pelli, Robson & Wilkins 1988, Clin. Vision Sci. 2,
    187-199. It ends a row early, at 14 of their 16 triplets: 8 bits can't hold the sixteenth.
    """
    pitch = 70
    columns, rows = len(CONTRAST_ROWS[0]), len(CONTRAST_ROWS)

    def field(x: float, y: float) -> float:
        column, right = divmod(x + columns * pitch / 2, pitch)
        row, down = divmod(rows * pitch / 2 - y, pitch)
        if not (0 <= column < columns and 0 <= row < rows):
            return WHITE
        direction = int(CONTRAST_ROWS[int(row)][int(column)])
        if not on_ring(right - pitch / 2, pitch / 2 - down, 45, direction):
            return WHITE
        return WHITE * (1 - 10 ** (-0.15 * (2 * row + column // 3)))

    return encode_png(sample_smooth(field))


def amsler_grid() -> bytes:
    """Amsler's first chart, white on black; a user unit is 1 mm.

    20 by 20 squares of 5 mm about a dot, each near 1 degree at 28 to 30 cm: Amsler 1953,
    https://doi.org/10.1136/bjo.37.9.521.
    """
    margin, square, count = 5, 5, 20
    far = margin + square * count
    places = range(margin, far + 1, square)
    grid = "".join(f"M{margin} {at}H{far}M{at} {margin}V{far}" for at in places)
    middle = (margin + far) / 2
    return encode_svg(
        margin + far,
        "#000",
        (
            # Square caps close the outer corners.
            f'<path d="{grid}" fill="none" stroke="#fff" stroke-width=".3" '
            'stroke-linecap="square"/>',
            f'<circle cx="{middle:g}" cy="{middle:g}" r="1" fill="#fff"/>',
        ),
    )


def blank() -> bytes:
    """The bare mean gray: the pause between stimuli, or the offset of a pattern."""
    return encode_png(sample(lambda _x, _y: MEAN))


def end() -> bytes:
    """The word END, in letters of 5 by 5 strokes like an optotype's."""
    art = (
        "##### #...# ####.",
        "#.... ##..# #...#",
        "####. #.#.# #...#",
        "#.... #..## #...#",
        "##### #...# ####.",
    )
    stroke, width, height = 20, len(art[0]), len(art)

    def field(x: float, y: float) -> float:
        column, row = (x / stroke + width / 2) // 1, (height / 2 - y / stroke) // 1
        inside = 0 <= column < width and 0 <= row < height
        return BLACK if inside and art[int(row)][int(column)] == "#" else MEAN

    return encode_png(sample(field))


PICTURES: Final[dict[str, Callable[[], bytes]]] = {
    "1-fixation-cross.png": fixation_cross,
    "2-optotype-chart.svg": optotype_chart,
    "3-grating-vertical.png": grating_vertical,
    "4-grating-gabor.png": grating_gabor,
    "5-checkerboard.png": checkerboard,
    "6-ring-wedge.png": ring_wedge,
    "7-contrast-steps.png": contrast_steps,
    "8-amsler-grid.svg": amsler_grid,
    "9-blank.png": blank,
    "10-end.png": end,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every picture to the folder named, by default the one this file is in."""
    parser = argparse.ArgumentParser(description="Draw the sample stimuli.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / name).write_bytes(draw())


if __name__ == "__main__":
    main()
