"""One module per command: ``Options`` (what may be typed) and ``run`` (what it does), which alone imports much."""

__all__: list[str] = []
