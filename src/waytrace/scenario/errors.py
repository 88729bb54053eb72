"""Errors that a person can act on. The command line prints their message without a traceback and exits with 2."""

from __future__ import annotations


class WaytraceError(Exception):
    """Something the user gave cannot be used. The message says what, where, and what to do next."""


class BadFileError(WaytraceError):
    """A file is damaged, of another format, or holds values that cannot be a drive."""


class StoreError(WaytraceError):
    """A store or result on disk is missing, incomplete, or not what its manifest says."""
