"""The benchmark of LLM providers: which one for what, from families of items with programmatic scorers."""

__all__: list[str] = []
