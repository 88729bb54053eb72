"""The five families of the provider benchmark: committed items, pure scorers, no model as a judge."""

from collections.abc import Mapping

from .contract import Call, Family, Item, Message, Outcome, Reply, Skill, Verdict

NAMES = ("coding", "long-context", "tools", "refusal", "driving-trace")

__all__ = ["NAMES", "Call", "Family", "Item", "Message", "Outcome", "Reply", "Skill", "Verdict", "families"]


def families() -> Mapping[str, Family]:
    """The families by name, in the order of ``NAMES``. Items are made when they are first asked for."""
    from .coding import Coding
    from .driving import DrivingTrace
    from .long_context import LongContext
    from .refusal import Refusal
    from .tools import Tools

    made: tuple[Family, ...] = (Coding(), LongContext(), Tools(), Refusal(), DrivingTrace())
    return {family.name: family for family in made}
