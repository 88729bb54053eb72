"""Rows of the provider table and of the price book, as their files have them. Unknown keys are refused."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["vendor", "second-hand", "inferred"]
"""Who says so: the vendor's own page, another who quotes it, or nobody in so many words."""
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Endpoint(_Row):
    """Where an OpenAI-compatible API answers."""

    region: Name
    base: Name


class Temperature(_Row):
    """What a provider makes of a low temperature."""

    least: Amount = 0.0
    """The lowest that is sent; a lower one asked for is raised to it, and recorded."""
    at_least_body: dict[str, Any] = Field(default_factory=dict)
    """Sent too where the temperature was raised."""
    fallback: Amount | None = None
    """Sent from then on once the vendor has rejected a temperature."""
    note: str = ""


class Faults(_Row):
    """Error codes (patterns of ``fnmatch``) by what they call for; tried in the order stop, moderation, retry."""

    stop: tuple[str, ...] = ()
    moderation: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    moderation_finish: tuple[str, ...] = ("content_filter",)
    """Reasons to finish that mean the vendor's filter."""


class Model(_Row):
    """One model of a provider."""

    id: Name
    context_tokens: int | None = None
    thinks: Literal["always", "switch", "never"] = "never"
    modes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """How hard it may think, and what to send for it."""


class Provider(_Row):
    """One provider: endpoints, keys, models, and what is peculiar about its API."""

    name: Name
    aliases: tuple[str, ...] = ()
    vendor: str
    sdk: str = ""
    auth: str = "bearer key"
    keys: tuple[str, ...] = ()
    """Environment variables that may hold the key, first found first used; none where no key is needed."""
    anthropic: str = ""
    notes: tuple[str, ...] = ()
    source: str
    status: Status
    checked_on: date
    structured: Literal["json_schema", "json_object", "tool", "prompt"] = "prompt"
    """The best means it has for structured output."""
    tool_choice: tuple[str, ...] = ("auto",)
    temperature: Temperature = Temperature()
    body: dict[str, Any] = Field(default_factory=dict)
    """Sent with every request."""
    most_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The field that bounds answer and thinking together."""
    faults: Faults = Faults()
    endpoints: tuple[Endpoint, ...] = Field(alias="endpoint", min_length=1)
    models: tuple[Model, ...] = Field(default=(), alias="model")


class Tier(_Row):
    """Prices that hold for a whole request with more input than this."""

    above_input_tokens: int
    input: Amount
    cached: Amount
    output: Amount


class Price(_Row):
    """What a million tokens cost, from when, and who says so."""

    provider: Name
    model: Name
    region: Name
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    input: Amount
    cached: Amount
    output: Amount
    """Thinking included."""
    effective_from: date | None = None
    """None where it is not known since when."""
    checked_on: date
    source: Name
    status: Status
    tiers: tuple[Tier, ...] = Field(default=(), alias="tier")


class Rate(_Row):
    """What one unit of a currency is in US dollars, to set prices side by side."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    usd: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    checked_on: date
    source: Name
    status: Status


class Table(_Row):
    """One file: any of the three kinds of rows."""

    providers: tuple[Provider, ...] = Field(default=(), alias="provider")
    prices: tuple[Price, ...] = Field(default=(), alias="price")
    rates: tuple[Rate, ...] = Field(default=(), alias="rate")
