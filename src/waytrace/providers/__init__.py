"""The benchmark of LLM providers: which one for what, from families of items with programmatic scorers."""

from .book import STALE_DAYS, WARN_DAYS, Book, ProviderError, age_days, endpoint_of, load_book, model_of
from .decide import Choice, Difference, choose
from .families import families
from .figures import Figures, Measured, figures_of
from .pages import html, markdown, write_pages
from .plan import Planned, plan_of
from .report import Report, price_table, report_of, warnings
from .results import Run, load_run
from .rows import Model, Price, Provider, Rate
from .run import RunEnd, Target, price_of, run_target
from .secrets import key_of
from .settings import Settings

__all__ = [
    "STALE_DAYS",
    "WARN_DAYS",
    "Book",
    "Choice",
    "Difference",
    "Figures",
    "Measured",
    "Model",
    "Planned",
    "Price",
    "Provider",
    "ProviderError",
    "Rate",
    "Report",
    "Run",
    "RunEnd",
    "Settings",
    "Target",
    "age_days",
    "choose",
    "endpoint_of",
    "families",
    "figures_of",
    "html",
    "key_of",
    "load_book",
    "load_run",
    "markdown",
    "model_of",
    "plan_of",
    "price_of",
    "price_table",
    "report_of",
    "run_target",
    "warnings",
    "write_pages",
]
