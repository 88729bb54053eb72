"""The provider table and the price book: read, extended by a user's file, asked by name, alias or URL."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from waytrace.scenario import WaytraceError

from .rows import Endpoint, Model, Price, Provider, Rate, Table

WARN_DAYS = 30
"""A price that was checked longer ago is warned about."""
STALE_DAYS = 90
"""A price that was checked longer ago decides nothing."""
KEY_OF_URL = "WAYTRACE_PROVIDER_API_KEY"
"""The variable with the key for an endpoint that is given by its URL. No other key is ever sent to one."""


class ProviderError(WaytraceError):
    """A provider, model or file of the benchmark cannot be used."""


@dataclass(frozen=True)
class Book:
    """Every provider, price and rate that is known."""

    providers: tuple[Provider, ...]
    prices: tuple[Price, ...]
    rates: tuple[Rate, ...]

    def provider(self, asked: str) -> Provider:
        """The provider of that name, alias or URL. Raises :class:`ProviderError`."""
        if "://" in asked:
            return _of_url(asked)
        for row in self.providers:
            if asked.lower() in (row.name, *row.aliases):
                return row
        names = ", ".join(row.name for row in self.providers)
        raise ProviderError(
            f"There is no provider {asked!r}. Known are {names}; or give the URL of an OpenAI-compatible endpoint "
            "(http://127.0.0.1:8000/v1), or a row of your own with --table FILE."
        )

    def price(self, provider: str, model: str, region: str, on: date) -> Price | None:
        """The price that holds on a day, or None where none is known."""
        found = [
            row
            for row in self.prices
            if (row.provider, row.model, row.region) == (provider, model, region)
            and (row.effective_from is None or row.effective_from <= on)
        ]
        return max(found, key=lambda row: row.effective_from or date.min, default=None)

    def usd(self, currency: str) -> Rate | None:
        """What one unit of a currency is in dollars; None where no rate is known."""
        if currency == "USD":
            return Rate(currency="USD", usd=1.0, checked_on=date.max, source="itself", status="vendor")
        return next((row for row in self.rates if row.currency == currency), None)


def load_book(extra: Path | None = None) -> Book:
    """The packaged table and price book, with the rows of a user's TOML file before them.

    A provider of the same name, a price of the same provider, model, region and first day, and a rate of the same
    currency take the packaged row's place. Raises :class:`ProviderError`.
    """
    data = files(__package__) / "data"
    own = [_read(data / name, name) for name in ("providers.toml", "prices.toml")]
    tables = [*([_read(extra, str(extra))] if extra else []), *own]
    providers = {p.name: p for t in reversed(tables) for p in t.providers}
    prices = {(p.provider, p.model, p.region, p.effective_from): p for t in reversed(tables) for p in t.prices}
    rates = {r.currency: r for t in reversed(tables) for r in t.rates}
    return Book(tuple(providers.values()), tuple(prices.values()), tuple(rates.values()))


def _read(path: object, shown: str) -> Table:
    try:
        text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
        return Table.model_validate(tomllib.loads(text))
    except OSError as error:
        raise ProviderError(f"{shown} could not be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProviderError(f"{shown} is no TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ProviderError(f"{shown}: {where}: {first['msg']}. docs/providers.md shows the form of a row.") from error


def model_of(provider: Provider, model: str | None) -> Model:
    """The model asked for, the provider's first by default; one that is not in the table is taken as it is.

    Raises :class:`ProviderError` where the table knows it in another spelling (ids are case-sensitive), or where none
    is named and none is known.
    """
    if model is None:
        if not provider.models:
            raise ProviderError(f"Which model of {provider.name}? Name it with --model.")
        return provider.models[0]
    for row in provider.models:
        if row.id == model:
            return row
        if row.id.lower() == model.lower():
            raise ProviderError(f"Ids of models are case-sensitive: {row.id}, not {model}.")
    return Model(id=model)


def endpoint_of(provider: Provider, asked: str | None) -> Endpoint:
    """The endpoint of a region, or of a URL that takes its place; the provider's first by default.

    Raises :class:`ProviderError`.
    """
    if asked is None:
        return provider.endpoints[0]
    if "://" in asked:
        return Endpoint(region="own", base=_checked(asked))
    for row in provider.endpoints:
        if row.region == asked:
            return row
    regions = ", ".join(row.region for row in provider.endpoints)
    raise ProviderError(f"{provider.name} has no endpoint {asked!r}. There are: {regions}; or give a URL.")


def age_days(checked_on: date, on: date) -> int:
    """Days since something was checked; 0 where that is in the future."""
    return max(0, (on - checked_on).days)


def _of_url(url: str) -> Provider:
    base = _checked(url)
    return Provider(
        name=urlsplit(base).netloc, vendor="an endpoint of your own", keys=(KEY_OF_URL,), source="the command line",
        status="inferred", checked_on=date.min, endpoint=(Endpoint(region="own", base=base),),
    )  # fmt: skip


def _checked(url: str) -> str:
    """The URL as a base, with no slash at its end and ``/v1`` not twice."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProviderError("That is no http(s) URL of an endpoint, such as http://127.0.0.1:8000/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ProviderError(
            f"The URL of {parts.hostname} must hold no user, password or query: a key belongs in {KEY_OF_URL}."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    while path.endswith("/v1/v1"):
        path = path.removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path}"
