"""Keys: found in the environment, sent to the vendor, and taken out of everything that is written or said."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from .rows import Provider

_HEADER = re.compile(r"(?i)\b(bearer\s+|api[-_]?key[\"']?\s*[:=]\s*[\"']?)[\w.\-~+/=]{8,}")
_SHORTEST = 4


def key_of(provider: Provider) -> tuple[str, str] | None:
    """(variable, key) of the first variable that is set; None where none is."""
    for name in provider.keys:
        if value := os.environ.get(name, "").strip():
            return name, value
    return None


class Scrubber:
    """Takes the values of keys out of text and out of JSON, whatever they are wrapped in."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """``secrets``: what stands in a key's place to its value."""
        found = [
            (form, f"[{name}]") for name, value in secrets.items() for form in _forms(value) if len(form) >= _SHORTEST
        ]
        self._known = sorted(found, key=lambda pair: -len(pair[0]))

    def text(self, said: str) -> str:
        """The text without keys, and without whatever follows ``Bearer`` or ``api_key``."""
        for value, name in self._known:
            said = said.replace(value, name)
        return _HEADER.sub(r"\1[removed]", said)

    def json(self, value: Any) -> Any:
        """A JSON value with every string scrubbed, names of fields included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.json(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(v) for v in value]
        return value


def _forms(value: str) -> set[str]:
    """A key as it is, percent-encoded and in base64."""
    return {value, quote(value, safe=""), base64.b64encode(value.encode()).decode()}


def scrubber(providers: Iterable[Provider]) -> Scrubber:
    """A scrubber for every key that any of the providers could be called with."""
    names = {name for provider in providers for name in provider.keys} | {"VOLC_ACCESSKEY", "VOLC_SECRETKEY"}
    return Scrubber({name: value for name in sorted(names) if (value := os.environ.get(name, "").strip())})
