"""One picture a moment with references drawn in, for a labeller who sees pictures only.

    python benchmarks/annotation_pictures.py STORE --out FOLDER [--count 60] [--seed 0] [--png]

The moments are those of ``waytrace trace annotate`` with the same arguments; ``moments.jsonl`` says which is which, the
pictures themselves only have numbers, since an id tells what was prepared in a scene. ``--png`` asks Chromium to turn
the SVG files into PNG. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from waytrace.cli.commands.trace_annotate import Options, run
from waytrace.cli.output import Output

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
         "--hide-scrollbars", "--force-device-scale-factor=1", "--window-size=1770,1000")  # fmt: skip


def to_png(picture: Path, browser: str) -> Path:
    """The picture as PNG beside it."""
    out = picture.with_suffix(".png")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", f"--screenshot={out}", picture.absolute().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--png", action="store_true")
    given = parser.parse_args()
    run(Options(given.store, given.out, given.count, given.seed, pictures=True), Output())
    pictures = sorted((given.out / "pictures").glob("*.svg"))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if given.png and browser is None:
        raise SystemExit(f"--png needs one of {', '.join(BROWSERS)} on the path; the SVG files are written.")
    made = [to_png(picture, str(browser)) for picture in pictures] if given.png else pictures
    print(json.dumps({"pictures": len(made), "folder": str(given.out / "pictures"), "png": given.png}))


if __name__ == "__main__":
    main()
