"""The provider table and the price book: names, dates, tiers, and files of a user's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from waytrace.providers import ProviderError, endpoint_of, load_book, model_of
from waytrace.providers.cost import Usage, cost, most_input, usage_of
from waytrace.providers.report import warnings

BOOK = load_book()
TODAY = date(2026, 11, 26)
OWN = """
[[provider]]
name = "home"
vendor = "a machine here"
source = "myself"
status = "vendor"
checked_on = 2026-11-20
[[provider.endpoint]]
region = "here"
base = "http://127.0.0.1:9/v1"
[[provider.model]]
id = "smol"

[[price]]
provider = "glm"
model = "glm-5.3"
region = "international"
currency = "USD"
input = 2.0
cached = 0.5
output = 6.0
effective_from = 2026-11-01
checked_on = 2026-11-25
source = "the bill"
status = "vendor"

[[rate]]
currency = "CNY"
usd = 0.141
checked_on = 2026-11-25
source = "the bank"
status = "vendor"
"""


@pytest.mark.parametrize(
    ("asked", "name"),
    [("mlg", "glm"), ("GLM", "glm"), ("minmax", "minimax"), ("ark", "doubao")],
)
def test_aliases(asked: str, name: str) -> None:
    assert BOOK.provider(asked).name == name


def test_an_unknown_name_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(ProviderError, match="Known are glm, minimax, doubao; or give the URL"):
        BOOK.provider("gpt")


def test_every_model_has_a_price_with_date_and_source_somewhere() -> None:
    for provider in BOOK.providers:
        for model in provider.models:
            prices = [p for p in BOOK.prices if (p.provider, p.model) == (provider.name, model.id)]
            assert prices, model.id
            assert {p.region for p in prices} <= {e.region for e in provider.endpoints}
            assert all(p.source and p.checked_on for p in prices)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/v1", "http://127.0.0.1:8000/v1"),
        ("https://example.com/v1/chat/completions", "https://example.com/v1"),
    ],
)
def test_a_url_becomes_a_base_that_clients_can_use(url: str, base: str) -> None:
    provider = BOOK.provider(url)
    assert endpoint_of(provider, None).base == base
    assert provider.keys == ("WAYTRACE_PROVIDER_API_KEY",)


def test_ids_of_models_are_case_sensitive() -> None:
    minimax = BOOK.provider("minimax")
    assert model_of(minimax, None).id == "MiniMax-M3"
    with pytest.raises(ProviderError, match="case-sensitive: MiniMax-M3, not minimax-m3"):
        model_of(minimax, "minimax-m3")
    assert model_of(minimax, "MiniMax-M9").modes == {}


def test_endpoints_by_region() -> None:
    glm = BOOK.provider("glm")
    assert endpoint_of(glm, "china").base == "https://open.bigmodel.cn/api/paas/v4"
    with pytest.raises(ProviderError, match=r"no endpoint 'mars'\. There are: international, china"):
        endpoint_of(glm, "mars")


def test_a_price_holds_from_its_day_on(tmp_path: Path) -> None:
    assert BOOK.price("glm", "glm-5.3-flash", "international", date(2026, 9, 9)) is None
    (tmp_path / "own.toml").write_text(OWN)
    book = load_book(tmp_path / "own.toml")
    before = book.price("glm", "glm-5.3", "international", date(2026, 10, 31))
    after = book.price("glm", "glm-5.3", "international", TODAY)
    assert before is not None
    assert after is not None
    assert (before.input, after.input) == (1.40, 2.0)
    assert book.provider("home").models[0].id == "smol"
    rate = book.usd("CNY")
    assert rate is not None
    assert rate.usd == 0.141
    assert book.usd("EUR") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[price", "is no TOML"),
        (OWN.replace("usd = 0.141", "usd = -1"), "rate.0.usd"),
        (OWN.replace('vendor = "a machine here"', 'vendor = "x"\ncolour = "red"'), "provider.0.colour"),
        (OWN.replace('currency = "USD"', 'currency = "dollars"'), "price.0.currency"),
        (OWN.replace("checked_on = 2026-11-20", ""), "provider.0.checked_on"),
    ],
)
def test_a_bad_file_says_what_and_where(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ProviderError, match=says) as raised:
        load_book(path)
    assert str(path) in str(raised.value)
    with pytest.raises(ProviderError, match="could not be read"):
        load_book(tmp_path / "none.toml")


def test_the_file_that_the_docs_show_can_be_used(tmp_path: Path) -> None:
    shown = (Path(__file__).parents[2] / "docs" / "providers.md").read_text().split("```toml")[1].split("```")[0]
    (tmp_path / "own.toml").write_text(shown)
    book = load_book(tmp_path / "own.toml")
    home = book.provider("home")
    assert endpoint_of(home, None).base == "https://llm.example.com/v1"
    assert book.price("home", "some-model", "here", TODAY) is not None
    assert book.usd("EUR") is not None


def test_a_request_above_a_tier_is_billed_by_it_whole() -> None:
    price = BOOK.price("minimax", "MiniMax-M3", "international", TODAY)
    assert price is not None
    assert cost(Usage(512_000, 0, 0, 0), price) == pytest.approx(0.512 * 0.30)
    assert cost(Usage(512_001, 0, 1000, 900), price) == pytest.approx(0.512001 * 0.60 + 0.001 * 2.40)
    assert cost(Usage(1000, 400, 0, 0), price) == pytest.approx((600 * 0.30 + 400 * 0.06) / 1e6)


def test_usage_is_read_as_it_is_billed() -> None:
    said = {
        "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 30}, "completion_tokens_details": {"reasoning_tokens": 40},
    }  # fmt: skip
    assert usage_of({"usage": said}) == Usage(100, 30, 50, 40)
    for nothing in ({}, {"usage": None}, {"usage": {"prompt_tokens": "many"}}, {"usage": {"prompt_tokens": 1}}):
        assert usage_of(nothing) is None


@pytest.mark.parametrize("text", ["", "plain words", "中文也一样", "🙂🙂", "\x00\x01"])
def test_no_prompt_has_more_tokens_than_bytes(text: str) -> None:
    import tiktoken.core

    encoding = tiktoken.core.Encoding(
        "bytes", pat_str=r"(?s:.)", mergeable_ranks={bytes([n]): n for n in range(256)}, special_tokens={}
    )
    assert len(encoding.encode(text)) <= most_input(len(text.encode()))


def test_what_is_old_is_warned_about_and_later_decides_nothing() -> None:
    assert not any("decides nothing" in line for line in warnings(BOOK, TODAY))
    assert any("glm glm-5.3 was checked 58 days ago." in line for line in warnings(BOOK, TODAY))
    assert any(
        "glm glm-5.3 was checked 100 days ago: it decides nothing" in s for s in warnings(BOOK, date(2027, 1, 7))
    )
