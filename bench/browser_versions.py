"""From which version on do browsers have what the pages need? By the data of MDN.

    npm pack @mdn/browser-compat-data && tar xzf mdn-browser-compat-data-*.tgz
    python bench/browser_versions.py package/data.json

`-` is for a browser that has it in no version. What the pages use only where it is there, such as
the wake lock or preloads of modules, is not in the list; a new feature that they need has to be.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

BROWSERS = {
    "Chrome": "chrome",
    "Edge": "edge",
    "Firefox": "firefox",
    "Safari": "safari",
    "Chrome for Android": "chrome_android",
    "Firefox for Android": "firefox_android",
    "Samsung Internet": "samsunginternet_android",
    "iOS": "safari_ios",
}

BOTH = (
    "html.elements.script.type.module",
    "javascript.operators.import",
    "javascript.operators.import_meta",
    "javascript.classes.private_class_fields",
    "javascript.classes.private_class_methods",
    "javascript.operators.optional_chaining",
    "javascript.operators.nullish_coalescing_assignment",
    "javascript.builtins.Array.at",
    "javascript.builtins.Object.hasOwn",
    "javascript.builtins.String.replaceAll",
    "api.Element.replaceChildren",
    "api.RTCPeerConnection.RTCPeerConnection",
    "api.RTCPeerConnection.createDataChannel",
    "css.properties.inset",
    "css.selectors.is",
)
NEEDED = {
    "client": (
        *BOTH,
        "api.AbortController",
        "api.AbortSignal.throwIfAborted",
        "api.HTMLImageElement.decode",
        "css.properties.object-fit",
    ),
    "console": (*BOTH, "css.at-rules.media.range_syntax"),
}


def since(data: dict[str, Any], feature: str, browser: str) -> str:
    """The version from which on it is there without a flag or a prefix."""
    found: Any = data
    for part in feature.split("."):
        found = found[part]
    support = found["__compat"]["support"].get(browser, [])
    for entry in [support] if isinstance(support, dict) else support:
        is_whole = not entry.keys() & {"flags", "prefix", "alternative_name", "version_removed"}
        if is_whole and isinstance(entry["version_added"], str):
            return str(entry["version_added"]).removeprefix("≤")
    return "-"


def order(version: str) -> tuple[float, ...]:
    if version == "-":
        return (float("inf"),)
    return tuple(map(float, version.split(".")))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="data.json of @mdn/browser-compat-data")
    parser.add_argument("--all", action="store_true", help="each feature, not the last ones alone")
    args = parser.parse_args()
    data = json.loads(args.data.read_text(encoding="utf-8"))
    print(f"by @mdn/browser-compat-data {data['__meta']['version']}")
    for page, features in NEEDED.items():
        print(f"\n{page}")
        for name, browser in BROWSERS.items():
            versions = {feature: since(data, feature, browser) for feature in features}
            last = max(versions.values(), key=order)
            why = [feature for feature, version in versions.items() if version == last]
            print(f"  {name:20} {last:8} {', '.join(why)}")
            for feature, version in versions.items() if args.all else ():
                print(f"    {version:8} {feature}")


if __name__ == "__main__":
    main()
