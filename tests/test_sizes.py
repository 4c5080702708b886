"""No class and no function is too large to be read, in either language.

A class that holds many things has the lifetimes of many things. What only describes something, a
plain value, a Protocol or an Enum, may be as long as that.
"""

from pathlib import Path

import imgsync
from tests.kit.sizes import Size, measure_python, measure_scripts

ROOT = Path(imgsync.__file__).parent

MAX_CLASS_LINES = 200
MAX_ATTRIBUTES = 12
MAX_FUNCTION_LINES = 60


def too_large(sizes: list[Size]) -> list[str]:
    """What is over a limit, with its place and its numbers."""
    return [
        f"{size.place} {size.name}: {numbers}"
        for size in sizes
        if not size.is_excepted and (numbers := over_limit(size))
    ]


def over_limit(size: Size) -> str:
    if size.attributes is None:
        is_over = size.lines > MAX_FUNCTION_LINES
        return f"{size.lines} lines of at most {MAX_FUNCTION_LINES}" if is_over else ""
    is_over = size.lines > MAX_CLASS_LINES or size.attributes > MAX_ATTRIBUTES
    return (
        f"{size.lines} lines of at most {MAX_CLASS_LINES}, {size.attributes} attributes of at most"
        f" {MAX_ATTRIBUTES}"
        if is_over
        else ""
    )


def test_no_class_and_no_function_in_python_is_too_large() -> None:
    sizes = measure_python(ROOT)
    assert {"RelayState", "open_evaluator"} <= {size.name for size in sizes}
    found = too_large(sizes)
    assert not found, "\n".join(found)


def test_no_class_and_no_function_of_the_pages_is_too_large() -> None:
    sizes = measure_scripts(ROOT / "web" / "js")
    assert {"Recording", "constructor", "#update", "makeRow"} <= {size.name for size in sizes}
    found = too_large(sizes)
    assert not found, "\n".join(found)


# ── what would be found ──────────────────────────────────────────────────────────────────────────


def lines_of(count: int, indent: str, line: str) -> str:
    return "".join(f"{indent}{line}\n" for _ in range(count))


def assigned(count: int, indent: str, this: str) -> str:
    return "".join(f"{indent}{this}{number} = 0\n" for number in range(count))


VALUE = "@attrs.frozen\nclass A:\n" + "".join(f"    x{number}: int\n" for number in range(13))

PYTHON = {
    "a long class": "class A:\n" + lines_of(199, "    ", "x = 0"),
    "a longer class": "class A:\n" + lines_of(200, "    ", "x = 0"),
    "as many attributes as may be": (
        "class A:\n    a: int\n    b: ClassVar[int] = 0\n\n    def __init__(self) -> None:\n"
        + assigned(11, "        ", "self.x")
        + "        self.x0 = self.other.y = 1\n"
    ),
    "one more, in another method": (
        "class A:\n    def __init__(self) -> None:\n"
        + assigned(12, "        ", "self.x")
        + "\n    async def go(me, it) -> None:\n        for me.y, it.z in []:\n            pass\n"
    ),
    "a value": VALUE
    + "\n    @property\n    def sum(self) -> int:\n        return self.x0 + self.x1\n",
    "a value that decides": VALUE + "\n    def go(self) -> None:\n        pass\n",
    "a value that changes itself": (
        VALUE.replace("attrs.frozen", "define(slots=False)")
        + "\n    def __iadd__(self, other: int) -> Self:\n        self.x0 += other\n"
    ),
    "a protocol": "class A(Protocol[T]):\n" + lines_of(250, "    ", "x: int"),
    "an enum": "class A(enum.Enum):\n" + lines_of(250, "    ", "x = 0"),
    "a long function": "def a():\n" + lines_of(59, "    ", "pass"),
    "a longer one": "if True:\n    async def a():\n" + lines_of(60, "        ", "pass"),
}

JAVASCRIPT = {
    "a long class": "class A {\n" + lines_of(198, "  ", "a() {}") + "}\n",
    "a longer class": "/** A comment\n * of two lines. */\nexport class A {\n"
    + lines_of(199, "  ", "a() {}")
    + "}\n",
    "as many attributes as may be": "class A {\n  static s = 0;\n  #y = 0;\n  constructor() {\n"
    + assigned(11, "    ", "this.x")
    + "    this.x0 = this.other.y = 1;\n"
    + "    const it = function () { this.z = 0; };\n    if (this.w === 0) this.x1 += 1;\n  }\n}\n",
    "one more, in another method": "const B = class {\n  constructor() {\n"
    + assigned(12, "    ", "this.x")
    + "  }\n  go() {\n    later(() => { [this.y] = [0]; });\n  }\n}\n",
    "a long function": "function a() {\n" + lines_of(58, "  ", ";") + "}\n",
    "a longer one": "const a = () => {\n" + lines_of(59, "  ", ";") + "};\n",
}


def test_what_is_too_large_in_python_is_found_with_its_place_and_its_numbers(
    tmp_path: Path,
) -> None:
    for name, source in PYTHON.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    assert too_large(measure_python(tmp_path)) == [
        "a longer class.py:1 A: 201 lines of at most 200, 0 attributes of at most 12",
        "a longer one.py:2 a: 61 lines of at most 60",
        "a value that changes itself.py:2 A: 17 lines of at most 200, 13 attributes of at most 12",
        "a value that decides.py:2 A: 17 lines of at most 200, 13 attributes of at most 12",
        "one more, in another method.py:1 A: 18 lines of at most 200, 13 attributes of at most 12",
    ]


def test_what_is_too_large_in_javascript_is_found_with_its_place_and_its_numbers(
    tmp_path: Path,
) -> None:
    for name, source in JAVASCRIPT.items():
        (tmp_path / f"{name}.js").write_text(source, encoding="utf-8")
    assert too_large(measure_scripts(tmp_path)) == [
        "a longer class.js:3 A: 201 lines of at most 200, 0 attributes of at most 12",
        "a longer one.js:1 a: 61 lines of at most 60",
        "one more, in another method.js:1 B: 19 lines of at most 200, 13 attributes of at most 12",
    ]
