"""From arguments to exit code: find the command, read its options, run it, say what went wrong."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waytrace import __version__

from .table import COMMANDS, help_text

DONE, FAILED, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code.

    0 done, 1 a check or a planner failed, 2 usage or bad input, 3 internal error, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _answer(given)
        sys.stdout.flush()  # here, where a closed pipe is known for one
        return code
    except KeyboardInterrupt:
        print("\nwaytrace: interrupted; the same command continues where it can", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, a pager) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _answer(given: list[str]) -> int:
    """Help, the version, or what a command does."""
    if not given or given[0] in ("-h", "--help", "help"):
        print(help_text())
        return DONE
    if given[0] in ("--version", "-V"):
        print(f"waytrace {__version__}")
        return DONE
    name, rest = _command(given)
    return _run(name, rest) if name else _no_command(given)


def _command(given: list[str]) -> tuple[str, list[str]]:
    for words in (2, 1):
        name = " ".join(given[:words])
        if name in COMMANDS:
            return name, given[words:]
    return "", []


def _no_command(given: list[str]) -> int:
    """Help for a group such as ``scenarios``, or the nearest command to a wrong one."""
    if any(name.startswith(f"{given[0]} ") for name in COMMANDS):
        asked = len(given) == 1 or given[1] in ("-h", "--help")
        print(help_text(given[0]), file=sys.stdout if asked else sys.stderr)
        if asked and len(given) > 1:
            return DONE
        if not asked:
            print(f"\nwaytrace: `{given[0]}` has no command {given[1]!r}", file=sys.stderr)
        return USAGE
    from difflib import get_close_matches

    near = get_close_matches(given[0], COMMANDS, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else "`waytrace --help` lists them"
    print(f"waytrace: there is no command {given[0]!r}; {hint}", file=sys.stderr)
    return USAGE


def _run(name: str, arguments: list[str]) -> int:
    import tyro

    from .output import Output

    module = importlib.import_module(f".commands.{COMMANDS[name][0]}", __package__)
    options: Any = tyro.cli(module.Options, prog=f"waytrace {name}", args=arguments)
    _say_if_first_use()
    output = Output(json=bool(options.json))
    # With --json, whatever a library or a planner prints goes to standard error; the object is written past this.
    quiet = contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext()
    try:
        with quiet:
            return int(module.run(options, output))
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        reason = _reason(error)
        message = reason or _internal(name, error)
        if options.json:
            output.finish({"error": message})
        print(f"waytrace {name}: {message}", file=sys.stderr)
        return USAGE if reason else INTERNAL


def _say_if_first_use() -> None:
    """Without this word the compilation at the first import would look like a command that hangs."""
    kept = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parents[1])
    if os.access(kept, os.W_OK) and next(kept.rglob("*.nbc"), None) is None:
        print("First use here: compiling the simulator's kernels, once, a minute or two ...", file=sys.stderr)


def _reason(error: Exception) -> str:
    """What a person can do something about: bad input, a disk that takes nothing. Empty for an error of ours."""
    from waytrace.scenario import WaytraceError
    from waytrace.scenario.disk import REFUSED, remedy

    if isinstance(error, OSError) and error.errno in REFUSED:
        return f"{error.filename or 'a file'} could not be written: {error.strerror}. {remedy(error)}"
    return str(error) if isinstance(error, WaytraceError) else ""


def _internal(name: str, error: Exception) -> str:
    """A short message for an error of ours; the traceback goes to a file, where the disk takes one."""
    said = f"internal error, {type(error).__name__}: {error}"
    try:
        handle, path = tempfile.mkstemp(prefix="waytrace-", suffix=".log")
        with os.fdopen(handle, "w") as file:
            file.write(f"waytrace {__version__}, `{name}`, Python {sys.version}\n\n")
            traceback.print_exception(error, file=file)
    except OSError as reason:
        return f"{said}\nIts traceback could not be kept ({reason.strerror or reason}); please report it."
    return f"{said}\nThe traceback is in {path}; please report it."
