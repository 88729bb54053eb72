"""Causal faithfulness: what a planner says moved it, put to the test by taking it away. ``docs/causes.md``."""

from .audited import Found, audit_planner
from .result import RECORDS, SCHEMA, read_records, summary, write_result

__all__ = ["RECORDS", "SCHEMA", "Found", "audit_planner", "read_records", "summary", "write_result"]
