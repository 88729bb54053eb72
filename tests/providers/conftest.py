"""No provider's key in the environment, and a bench: a server whose script can change, and runs put to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from waytrace.providers import RunEnd, Settings, Target, load_book, model_of, run_target
from waytrace.providers.families import Family
from waytrace.providers.journal import Found, read_folder
from waytrace.providers.rows import Endpoint
from waytrace.providers.stand_in import Script, Served, serving

from .toy import Toy

QUICK = Settings(epochs=1, attempts=3, backoff_s=0.0, timeout_s=5.0, concurrency=1, probes=0)
PRICED = """
[[price]]
provider = "{0}"
model = "{1}"
region = "own"
currency = "USD"
input = 1.0
cached = 0.5
output = 10.0
checked_on = 2026-11-20
source = "a test"
status = "vendor"
"""


@dataclass
class Asked:
    """What a run came to, and what the server was sent for it."""

    end: RunEnd
    found: Found
    folder: Path
    requests: list[dict[str, Any]]

    @property
    def outcomes(self) -> list[str]:
        return [row["outcome"] for row in self.found.scores.values()]


@dataclass
class Bench:
    """A server on this machine; ``script`` is a function, or answers in turn of which the last one stays."""

    url: str
    tmp_path: Path
    script: Script | Sequence[Served] = ()
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def serve(self, body: dict[str, Any], headers: Any) -> Served:
        self.requests.append(body)
        self.headers.append(dict(headers))
        if callable(self.script):
            return self.script(body, headers)
        return self.script[min(len(self.requests), len(self.script)) - 1]

    def priced(self, provider: str, model: str) -> Path:
        """A file with a price for the endpoint on this machine: a dollar a million tokens in, ten out."""
        path = self.tmp_path / "prices.toml"
        path.write_text(PRICED.format(provider, model))
        return path

    def run(
        self, provider: str, script: Script | Sequence[Served], *, family: Family | None = None, url: str = "",
        settings: Settings = QUICK, model: str | None = None, budget: float = 100.0, folder: str = "run",
        table: Path | None = None, **more: Any,
    ) -> Asked:  # fmt: skip
        """Put a family to a provider's adapter, with the script in the vendor's place."""
        self.script = script
        self.requests, self.headers = [], []
        book, known = load_book(table), family or Toy(count=1)
        row = book.provider(provider)
        endpoint = Endpoint(region="own", base=url or self.url)
        target = Target(row, model_of(row, model), endpoint, {known.name: known}, settings, **more)
        place = self.tmp_path / folder
        end = run_target(target, book, place, budget)
        return Asked(end, read_folder(place), place, self.requests)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.endswith(("_API_KEY", "_proxy", "_PROXY")) or n.startswith("VOLC_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench("", tmp_path)
    with serving(made.serve) as url:
        made.url = url
        yield made
