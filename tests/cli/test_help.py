"""What may be typed: help, and a record of every command's options so that none changes unnoticed."""

from __future__ import annotations

import importlib
import os
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from waytrace.cli import main
from waytrace.cli.table import COMMANDS

FROZEN = Path(__file__).with_name("options.txt")


def _options(name: str) -> list[str]:
    """Name, type and default of each of a command's options."""
    module = importlib.import_module(f"waytrace.cli.commands.{COMMANDS[name][0]}")
    lines = []
    for f in fields(module.Options):
        required = f.default is MISSING and f.default_factory is MISSING
        kind = str(f.type).removeprefix("Annotated[").split(", arg(")[0]
        lines.append(f"{f.name}: {kind} = {'(required)' if required else f.default}")
    return lines


def test_the_options_of_every_command_are_as_recorded() -> None:
    """Renew the record with WAYTRACE_RENEW=1 and say in CHANGELOG.md what changed."""
    found = "".join(f"{name}\n" + "".join(f"  {o}\n" for o in _options(name)) for name in COMMANDS)
    if os.environ.get("WAYTRACE_RENEW"):
        FROZEN.write_text(found)
    assert found == FROZEN.read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_has_more_than_twenty_flags(name: str) -> None:
    assert len(_options(name)) <= 20
    assert "json: bool = False" in _options(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*name.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: waytrace {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_the_top_level_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(name in out and text in out for name, (_, text) in COMMANDS.items())


def test_a_group_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--help"]) == 0
    out = capsys.readouterr().out
    assert "scenarios import" in out
    assert "doctor" not in out
