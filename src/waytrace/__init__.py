"""Waytrace: planners for autonomous driving that drive and say why.

Importing this package is cheap on purpose: it pulls in neither NumPy nor Numba. Import the room you
need, for example ``from waytrace.scenario import Scenario``.
"""

__version__ = "0.1.0"
