"""Imports: every file accounted for, bad ones set aside, the same store whatever the number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from waytrace.formats import Source, detect, find_sources, import_paths, importing, readers, register
from waytrace.formats.untrusted import require
from waytrace.scenario import BadFileError, WaytraceError
from waytrace.scenario.store import ScenarioStore


@pytest.fixture
def drives(build, tmp_path):
    folder = tmp_path / "drives"
    build.write_forecasting(folder / "f")
    build.write_sensor(folder / "s")
    for version in ("2017a", "2018a", "2018b", "2020a"):
        data = build.commonroad_xml(version, name=f"USA_Test-1_{version}_T-1")
        (folder / f"{version}.xml").write_bytes(data)
    (folder / "broken.xml").write_bytes(data[: len(data) // 2])
    (folder / "README.md").write_text("where these come from")
    (folder / "page.xml").write_text("<html/>")
    return folder


def test_every_file_is_imported_or_refused_and_the_store_says_what_came(drives, tmp_path):
    seen = []
    report = import_paths([drives], tmp_path / "store", workers=1, progress=seen.append)
    files = sum(len(names) for _, _, names in os.walk(drives))
    assert report.files == files == report.drives + report.companions + len(report.refused)
    assert report.imported == 6
    reasons = {r.file.name: r.reason for r in report.refused}
    assert set(reasons) == {"broken.xml", "README.md", "page.xml"}
    assert "not well-formed" in reasons["broken.xml"]
    assert report.by_source["commonroad"] == {"drives": 4, "scenarios": 4, "refused": 1}
    assert sum(report.by_licence.values()) == 6
    assert (seen[-1].done, seen[-1].total, seen[-1].scenarios, seen[-1].refused) == (7, 7, 6, 1)
    assert set(report.quality) == {"av2-forecasting", "av2-sensor", "commonroad"}
    json.dumps(report.as_dict())
    kept = json.loads((tmp_path / "store" / "quarantine.json").read_text())
    assert {r["file"].rpartition("/")[2] for r in kept["refused"]} == set(reasons)
    store = ScenarioStore.open(tmp_path / "store")
    assert len(store) == 6
    for id in store.ids:
        s = store[id]
        assert s.provenance.licence
        assert s.provenance.attribution
        assert len(s.provenance.sha256) == 64
        assert np.isfinite(s.agents.xy).all()


@pytest.mark.slow
def test_two_workers_write_the_same_store_as_one(drives, tmp_path):
    one = import_paths([drives], tmp_path / "one", workers=1)
    two = import_paths([drives], tmp_path / "two", workers=2)
    a, b = ScenarioStore.open(one.store), ScenarioStore.open(two.store)
    assert a.ids == b.ids
    assert a.manifest_hash == b.manifest_hash
    assert [r.file for r in one.refused] == [r.file for r in two.refused]


def test_a_strict_import_names_the_bad_files_and_leaves_no_store(drives, tmp_path):
    with pytest.raises(BadFileError, match=r"page\.xml"):
        import_paths([drives], tmp_path / "store", workers=1, strict=True)
    (drives / "page.xml").unlink()
    with pytest.raises(BadFileError, match=r"broken\.xml: not well-formed"):
        import_paths([drives], tmp_path / "store", workers=1, strict=True)
    assert not (tmp_path / "store").exists()
    (drives / "broken.xml").unlink()
    assert import_paths([drives], tmp_path / "store", workers=1, strict=True).imported == 6


def test_drives_of_one_name_are_told_apart_and_copies_refused(build, tmp_path):
    folder = tmp_path / "drives"
    folder.mkdir()
    (folder / "a.xml").write_bytes(build.commonroad_xml("2018a"))
    (folder / "b.xml").write_bytes(build.commonroad_xml("2020a"))
    (folder / "c.xml").write_bytes(build.commonroad_xml("2020a"))
    report = import_paths([folder], tmp_path / "store", workers=1)
    assert report.imported == 2
    assert "byte for byte" in report.refused[0].reason
    first, second = ScenarioStore.open(report.store).ids
    assert second.startswith(first + "~")


def test_paths_with_nothing_to_import_say_so(tmp_path):
    with pytest.raises(WaytraceError, match="no such file"):
        import_paths([tmp_path / "gone"], tmp_path / "store")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.pkl").write_bytes(b"\x80")
    with pytest.raises(WaytraceError, match=r"no drive could be imported[\s\S]*x\.pkl: no reader"):
        import_paths([tmp_path / "data"], tmp_path / "store")
    assert not (tmp_path / "store").exists()
    assert detect(tmp_path / "data") is None


class _Own:
    """A reader as a further format would bring it."""

    name = "own"

    def claims(self, path):
        return path.suffix == ".own"

    def companions(self, path):
        return ()

    def orphan(self, path):
        return ""

    def read(self, source, options):
        raise ZeroDivisionError("a mistake of this reader")


def test_a_reader_can_be_added_and_its_mistakes_do_not_end_the_import(build, tmp_path, monkeypatch):
    from waytrace.formats import reader

    monkeypatch.setattr(reader, "_READERS", dict(reader._READERS))
    register(_Own())
    assert [r.name for r in readers()][-1] == "own"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.own").write_text("x")
    (tmp_path / "in" / "b.xml").write_bytes(build.commonroad_xml())
    report = import_paths([tmp_path / "in"], tmp_path / "store", workers=1)
    assert report.imported == 1
    assert "ZeroDivisionError: a mistake of this reader" in report.refused[0].reason


@pytest.mark.slow
def test_a_drive_that_ends_its_worker_is_set_aside_and_the_others_are_read(build, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from waytrace.formats import commonroad, import_paths\n"
        "inner = commonroad.CommonRoad.read\n"
        "def read(self, source, options):\n"
        "    if 'deadly' in source.path.name: os._exit(9)\n"
        "    return inner(self, source, options)\n"
        "commonroad.CommonRoad.read = read\n"
        "if __name__ == '__main__':\n"
        "    r = import_paths([sys.argv[1]], sys.argv[2], workers=2)\n"
        "    print(r.imported, [(x.file.name, x.reason) for x in r.refused])\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(6):
        name = f"{k}{'deadly' if k == 2 else ''}.xml"
        (folder / name).write_bytes(build.commonroad_xml(name=f"USA_Test-{k}_1_T-1"))
    run = subprocess.run(
        [sys.executable, str(script), str(folder), str(tmp_path / "store")], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("5 [('2deadly.xml', 'the commonroad reader died on it")


def test_a_missing_parser_names_the_extra():
    with pytest.raises(WaytraceError, match=r"pip install 'waytrace\[logs\]'"):
        require("no_such_parser.inner")


def test_a_missing_parser_ends_an_import(build, tmp_path, monkeypatch):
    path = tmp_path / "a.xml"
    path.write_bytes(build.commonroad_xml())
    monkeypatch.setitem(sys.modules, "lxml.etree", None)
    with pytest.raises(WaytraceError, match="logs"):
        import_paths([path], tmp_path / "store", workers=1)
    assert not (tmp_path / "store").exists()


def test_sources_are_found_once_and_in_order(build, tmp_path):
    for name in ("b.xml", "a.xml"):
        (tmp_path / name).write_bytes(build.commonroad_xml())
    found = find_sources([tmp_path / "b.xml", tmp_path])
    assert [s.path.name for s in found.sources] == ["b.xml", "a.xml"]
    assert importing.read(Source("commonroad", tmp_path / "a.xml"))
