"""A kernel on disk is run again only while nothing that it reaches has changed."""

import os
import subprocess
import sys

import pytest

CALLER = {
    "from import": "from callee import double\n{jit}def run(x: float) -> float:\n    return double(x) + 1.0\n",
    "module": "import callee\n{jit}def run(x: float) -> float:\n    return callee.double(x) + 1.0\n",
}
CALLEE = "{jit}def double(x: float) -> float:\n    return x * {factor}\n"
JIT = 'from waytrace.geometry import jit\n@jit("f8", "f8")\n'


def run(folder, expression="caller.run(3.0)"):
    """The value of an expression and the number of kernels taken from disk, in a new process."""
    code = f"import caller, numpy as np; print({expression}, sum(caller.run.stats.cache_hits.values()))"
    env = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    value, hits = done.stdout.split()
    return float(value), int(hits)


@pytest.mark.parametrize("how", ["from import", pytest.param("module", marks=pytest.mark.slow)])
def test_a_changed_callee_in_another_file_is_not_run_from_the_cache(tmp_path, how):
    (tmp_path / "caller.py").write_text(CALLER[how].format(jit=JIT))
    (tmp_path / "callee.py").write_text(CALLEE.format(jit=JIT, factor="2.0"))
    assert run(tmp_path) == (7.0, 0)
    assert run(tmp_path) == (7.0, 1)
    (tmp_path / "callee.py").write_text(CALLEE.format(jit=JIT, factor="5.0"))
    assert run(tmp_path) == (16.0, 0)


def test_kernels_of_a_version_whose_modules_have_moved_are_compiled_anew(tmp_path):
    bundled = (
        "from typing import NamedTuple\nfrom waytrace.geometry import F8, bundle\n"
        "class Pair(NamedTuple):\n    a: F8\n    b: F8\n"
    )
    caller = (
        "import numpy as np\nfrom {module} import Pair\nfrom waytrace.geometry import bundle, jit\n"
        "@jit('f8', bundle(Pair))\ndef run(pair: Pair) -> float:\n    return pair.a[0] + pair.b[0]\n"
    )
    call = "caller.run(caller.Pair(np.ones(1), np.ones(1)))"
    for module in ("before", "after"):
        for old in tmp_path.glob("*.py"):
            old.unlink()
        (tmp_path / f"{module}.py").write_text(bundled)
        (tmp_path / "caller.py").write_text(caller.format(module=module))
        os.utime(tmp_path / "caller.py", (1.0, 1.0))
        assert run(tmp_path, call) == (2.0, 0)


CONSTANTS = {
    "precise array": (
        "import numpy as np\nLIMIT = np.array([{value} * 1e-9 + 0.1])\n",
        "np.rint((LIMIT[0] - 0.1) * 1e9)",
    ),
    "number": ("LIMIT = {value}\n", "LIMIT"),
    "array": ("import numpy as np\nLIMIT = np.zeros(5000)\nLIMIT[2500] = {value}\n", "LIMIT[2500]"),
    "enum": (
        "from enum import IntEnum\nclass LIMIT(IntEnum):\n    MOST = {value}\n",
        "(4.0 if LIMIT.MOST == 4 else 5.0)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CONSTANTS)
def test_a_changed_constant_in_another_file_is_not_run_from_the_cache(tmp_path, kind):
    source, use = CONSTANTS[kind]
    (tmp_path / "caller.py").write_text(
        f"import numpy as np\nfrom callee import LIMIT\n{JIT}def run(x: float) -> float:\n    return x + {use}\n"
    )
    (tmp_path / "callee.py").write_text(source.format(value=4))
    assert run(tmp_path) == (7.0, 0)
    assert run(tmp_path) == (7.0, 1)
    (tmp_path / "callee.py").write_text(source.format(value=5))
    assert run(tmp_path) == (8.0, 0)


@pytest.mark.slow
def test_two_fields_of_a_bundle_that_swap_places_are_not_mixed_up(tmp_path):
    (tmp_path / "caller.py").write_text(
        "from waytrace.geometry import jit, bundle\nfrom callee import Pair, of\n"
        '@jit("f8", bundle(Pair))\ndef left(pair):\n    return pair.left[0]\n'
        '@jit("f8", "f8[:]", "f8[:]")\ndef run(x, y):\n'
        "    return left(Pair(left=x, right=y, n=1)) + of(x, y).right[0]\n"
    )
    callee = (
        "from typing import NamedTuple\nfrom waytrace.geometry import F8, bundle, jit\n"
        "class Pair(NamedTuple):\n    {0}: F8\n    {1}: F8\n    n: int\n"
        '@jit(bundle(Pair), "f8[:]", "f8[:]")\ndef of(x, y):\n    return Pair(left=x, right=y, n=1)\n'
    )
    call = "caller.run(np.full(1, 3.0), np.full(1, 4.0))"
    for fields in (("left", "right"), ("right", "left")):
        (tmp_path / "callee.py").write_text(callee.format(*fields))
        assert run(tmp_path, call) == (7.0, 0)
        assert run(tmp_path, call) == (7.0, 1)


def test_a_kernel_is_bit_identical_to_the_plain_function_and_takes_no_other_types():
    from waytrace.geometry import wrap_angle

    assert all(wrap_angle(x / 7) == wrap_angle.py_func(x / 7) for x in range(-50, 50))
    with pytest.raises(TypeError, match="No matching definition"):
        wrap_angle("3")
