"""A checkpoint is read whole or refused, with the file, the tensor and the way out named."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from waytrace.microgpt import GPTConfig, Learned
from waytrace.microgpt.checkpoint import (
    CheckpointError,
    base_record,
    head_record,
    is_base,
    read_checkpoint,
    vocabulary_record,
    write_checkpoint,
)
from waytrace.microgpt.checkpoint_files import (
    ADAPTER,
    ADAPTER_JSON,
    BASE,
    BASE_JSON,
    HEAD,
    HEAD_JSON,
    MANIFEST,
    VOCABULARY_JSON,
    weights_hash,
    write_files,
)
from waytrace.microgpt.parameters import drawn

CONFIG = GPTConfig(1)
PARAMETERS = drawn(CONFIG, seed=11)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "step", PARAMETERS, CONFIG)
    return tmp_path / "step"


def content(folder: Path) -> dict[str, bytes]:
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {name: (folder / name).read_bytes() for name in names if name != MANIFEST}


def rewritten(folder: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The checkpoint with its contents changed and a manifest that agrees with the change."""
    files = content(folder)
    change(files)
    write_files(folder.with_name("changed"), files)
    return folder.with_name("changed")


def in_tensors(name: str, change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[dict[str, bytes]], None]:
    def apply(files: dict[str, bytes]) -> None:
        tensors = load(files[name])
        change(tensors)
        files[name] = save(tensors)

    return apply


def in_json(name: str, **values: object) -> Callable[[dict[str, bytes]], None]:
    def apply(files: dict[str, bytes]) -> None:
        files[name] = json.dumps(json.loads(files[name]) | values).encode()

    return apply


def test_what_was_written_is_read(folder: Path) -> None:
    found = read_checkpoint(folder)
    assert found.config == CONFIG
    assert found.parameters.keys() == PARAMETERS.keys()
    assert all((found.parameters[name] == value).all() for name, value in PARAMETERS.items())


def test_a_planner_of_a_folder_is_the_planner_of_its_weights(folder: Path, moments) -> None:
    one = Learned(folder).plan(moments.observation, None)
    other = Learned(PARAMETERS).plan(moments.observation, None)
    assert (one[0].waypoints == other[0].waypoints).all()
    assert one[1] == other[1]


def test_every_flipped_bit_is_found_and_the_file_named(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for _ in range(12):
            at = int(rng.integers(len(whole)))
            broken = bytearray(whole)
            broken[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(broken))
            with pytest.raises(CheckpointError) as caught:
                read_checkpoint(folder)
            assert path.name in str(caught.value)
            path.write_bytes(whole)
    read_checkpoint(folder)


@pytest.mark.parametrize("keep", [0, 1, 100])
def test_every_file_cut_short_is_found(folder: Path, keep: int) -> None:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:keep])
        with pytest.raises(CheckpointError, match=path.name):
            read_checkpoint(folder)
        path.write_bytes(whole)


def test_a_missing_file_and_one_too_many_are_named(folder: Path) -> None:
    (folder / "base" / "more.txt").write_text("x")
    with pytest.raises(CheckpointError, match=r"more\.txt is not in the manifest"):
        read_checkpoint(folder)
    (folder / "base" / "more.txt").unlink()
    (folder / HEAD).unlink()
    with pytest.raises(CheckpointError, match=r"head\.safetensors is missing"):
        read_checkpoint(folder)


NAN = np.full((32, 32), np.nan, np.float32)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (HEAD, lambda t: t.pop("head.trace.begin"), "tensor 'head.trace.begin' is missing"),
        (HEAD, lambda t: t.update(extra=np.zeros(1, np.float32)), "tensor 'extra' is none that belongs there"),
        (HEAD, lambda t: t.update({"head.trace.begin": np.zeros(5, np.float32)}), r"has shape \[5\] where depth 1 has"),
        (
            HEAD,
            lambda t: t.update({"head.trace.key.weight": NAN}),
            "'head.trace.key.weight' holds a number that is not",
        ),
        (HEAD, lambda t: t.update({"head.trace.begin": np.zeros(32)}), "is F64 where F32 is due"),
        (BASE, lambda t: t.update({"scene.ego.up.bias": np.ones(32, np.float32)}), "base with weights"),
    ],
)
def test_what_a_correct_manifest_cannot_excuse(folder: Path, file: str, change, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_checkpoint(rewritten(folder, in_tensors(file, change)))


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        (VOCABULARY_JSON, {"vocabulary": "0" * 64}, "made for other trace slots"),
        (HEAD_JSON, {"features": "0" * 64}, "made for other scene features"),
        (BASE_JSON, {"kind": "hf"}, "needs PyTorch"),
        (BASE_JSON, {"config": {"depth": 0}}, "none of a micro GPT"),
        (BASE_JSON, {"config": {"depth": 2}}, "not that of its hash"),
        (BASE_JSON, {"config": {"deep": 2}}, "none of a micro GPT"),
    ],
)
def test_what_a_checkpoint_was_made_for_is_compared(folder: Path, file: str, values, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_checkpoint(rewritten(folder, in_json(file, **values)))


def test_a_folder_that_is_none_is_told_apart(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        read_checkpoint(tmp_path / "nowhere")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    with pytest.raises(CheckpointError, match=r"has no manifest\.json"):
        read_checkpoint(tmp_path / "run")
    (tmp_path / "run" / "checkpoints" / "best").write_text("step_000100\n")
    with pytest.raises(CheckpointError, match=r"a training run, no checkpoint\. Its best one: .*step_000100"):
        read_checkpoint(tmp_path / "run")
    with pytest.raises(CheckpointError, match="exists already"):
        write_checkpoint(folder, PARAMETERS, CONFIG)


def adapted(folder: Path, base: Path, ref: str, **more: object) -> dict[str, np.ndarray]:
    """Write a checkpoint of an adapter of rank 2 over a base elsewhere; the merged weights."""
    rng = np.random.default_rng(2)
    module = "backbone.layers.0.attn.q_proj"
    a, b = rng.standard_normal((2, 32)).astype(np.float32), rng.standard_normal((32, 2)).astype(np.float32)
    tensors = {
        f"base_model.model.{module}.lora_A.weight": a, f"base_model.model.{module}.lora_B.weight": b
    }  # fmt: skip
    under = {name: value for name, value in PARAMETERS.items() if is_base(name)}
    head = {name: value for name, value in PARAMETERS.items() if not is_base(name)}
    record = {"peft_type": "LORA", "r": 2, "lora_alpha": 8, **more}
    scale = 8 / (2**0.5 if more.get("use_rslora") else 2)
    total = under[f"{module}.weight"] + np.float32(scale) * (b @ a)
    if more.get("use_dora"):
        length = rng.uniform(0.5, 1.5, 32).astype(np.float32)
        tensors[f"base_model.model.{module}.lora_magnitude_vector"] = length
        total = total / np.linalg.norm(total, axis=1, keepdims=True) * length[:, None]
    write_files(
        folder,
        {
            BASE_JSON: json.dumps(base_record(CONFIG, under, ref=ref)).encode(),
            HEAD_JSON: json.dumps(head_record()).encode(), HEAD: save(head),
            VOCABULARY_JSON: json.dumps(vocabulary_record()).encode(),
            ADAPTER: save(tensors), ADAPTER_JSON: json.dumps(record).encode(),
        },
    )  # fmt: skip
    return {**PARAMETERS, f"{module}.weight": total}


@pytest.mark.parametrize("more", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_an_adapter_is_merged_over_the_base_that_it_was_trained_on(folder: Path, more: dict[str, object]) -> None:
    wanted = adapted(folder.with_name("lora"), folder, ref="../step", **more)
    found = read_checkpoint(folder.with_name("lora"))
    for name, value in wanted.items():
        np.testing.assert_allclose(found.parameters[name], value, atol=1e-6)


def test_another_base_of_the_same_shapes_is_refused(folder: Path) -> None:
    adapted(folder.with_name("lora"), folder, ref="../step")
    write_checkpoint(folder.with_name("other"), drawn(CONFIG, seed=12), CONFIG)
    with pytest.raises(CheckpointError, match="even if its shapes are the same"):
        read_checkpoint(folder.with_name("lora"), base=folder.with_name("other"))
    shutil.move(folder, folder.with_name("moved"))
    with pytest.raises(CheckpointError, match=r"was looked for at .*step.* --base PATH"):
        read_checkpoint(folder.with_name("lora"))
    assert read_checkpoint(folder.with_name("lora"), base=folder.with_name("moved")).config == CONFIG


def test_an_adapter_that_fits_nothing_is_refused(folder: Path) -> None:
    adapted(folder.with_name("lora"), folder, ref="../step")
    stray = {"base_model.model.backbone.layers.9.attn.q_proj.lora_A.weight": np.zeros((2, 32), np.float32)}
    with pytest.raises(CheckpointError, match="adapts nothing that the base has"):
        read_checkpoint(rewritten(folder.with_name("lora"), in_tensors(ADAPTER, lambda t: t.update(stray))))


def test_a_map_that_should_be_adapted_and_is_not_is_named(folder: Path) -> None:
    adapted(folder.with_name("one"), folder, ref="../step", target_modules=["q_proj"])
    assert read_checkpoint(folder.with_name("one")).config == CONFIG
    adapted(folder.with_name("two"), folder, ref="../step", target_modules=["q_proj", "v_proj"])
    with pytest.raises(CheckpointError, match=r"adapter_model.*layers\.0\.attn\.v_proj\.lora_A\.weight' is missing"):
        read_checkpoint(folder.with_name("two"))


def test_weights_have_one_hash_whatever_their_order() -> None:
    turned = dict(reversed(PARAMETERS.items()))
    assert weights_hash(turned) == weights_hash(PARAMETERS)
    changed = PARAMETERS | {"head.trace.begin": PARAMETERS["head.trace.begin"] + np.float32(1e-6)}
    assert weights_hash(changed) != weights_hash(PARAMETERS)


def test_nothing_is_shipped_yet_or_it_is_whole() -> None:
    from waytrace.microgpt.checkpoint import SHIPPED, read_shipped

    if SHIPPED.exists():
        assert read_shipped().parameters
    else:
        with pytest.raises(CheckpointError, match="ships no planner yet"):
            read_shipped()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = [(BASE_JSON, key) for key in ("kind", "ref", "config", "config_hash", "weights_sha256")]
PLACES += [(HEAD_JSON, "features"), (VOCABULARY_JSON, "vocabulary")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_checkpoint(tmp_path_factory.mktemp("whole") / "step", PARAMETERS, CONFIG)
    return next(tmp_path_factory.getbasetemp().glob("whole*/step"))


@given(place=st.sampled_from(PLACES), value=JSON)
@settings(max_examples=150)
def test_whatever_a_record_holds_is_read_or_refused_in_words(
    whole: Path, place: tuple[str, str], value: object
) -> None:
    file, key = place
    record = json.loads((whole / file).read_text()) | {key: value}
    if key == "config" and isinstance(value, dict):
        record["config_hash"] = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    files = content(whole) | {file: json.dumps(record).encode()}
    with tempfile.TemporaryDirectory() as place_:
        write_files(Path(place_) / "changed", files)
        with contextlib.suppress(CheckpointError):
            assert read_checkpoint(Path(place_) / "changed").config == CONFIG


@given(key=st.sampled_from(["schema", "files", "tensors", "code"]), value=JSON)
@settings(max_examples=150)
def test_whatever_a_sealed_manifest_holds_is_read_or_refused_in_words(whole: Path, key: str, value: object) -> None:
    record = json.loads((whole / MANIFEST).read_text()) | {key: value}
    del record["sha256"]
    body = json.dumps(record).encode()[1:]
    sealed = b'{"sha256": "%s",\n' % hashlib.sha256(body).hexdigest().encode() + body
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(whole, Path(place) / "step")
        (Path(place) / "step" / MANIFEST).write_bytes(sealed)
        with contextlib.suppress(CheckpointError):
            read_checkpoint(Path(place) / "step")


@pytest.mark.parametrize("depth", [True, 1.0, "1", [1], None, -3, 10**30])
def test_a_configuration_of_another_type_is_refused(folder: Path, depth: object) -> None:
    config = {"depth": depth, "rotary_base": 1000.0, "norm_eps": 1e-5}
    sealed = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    with pytest.raises(CheckpointError, match="none of a micro GPT"):
        read_checkpoint(rewritten(folder, in_json(BASE_JSON, config=config, config_hash=sealed)))
