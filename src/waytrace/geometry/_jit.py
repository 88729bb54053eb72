"""The one way this package compiles a kernel.

``jit(signature)`` is ``numba.njit`` with an explicit signature, ``nogil`` and an on-disk cache, and without
``fastmath``: results must be bit-identical between runs. It differs from ``cache=True`` in one respect. Numba
keys its cache on a function's own bytecode, so a kernel keeps running the *old* body of a function it calls
from another file (https://numba.readthedocs.io/en/stable/developer/caching.html#caching-limitations). Here the
key also covers every compiled function, constant, enum and bundle that a kernel reaches, by name or through a
module, so an edit is never silently ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import EnumMeta
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_type_hints

import numba
import numpy as np
from numba.core import types as _numba_types
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

types: Any = _numba_types
F = TypeVar("F", bound=Callable[..., Any])

F8 = Annotated[NDArray[np.float64], "f8[:]"]
F8x2 = Annotated[NDArray[np.float64], "f8[:,:]"]
F8x3 = Annotated[NDArray[np.float64], "f8[:,:,:]"]
F8x4 = Annotated[NDArray[np.float64], "f8[:,:,:,:]"]
F4 = Annotated[NDArray[np.float32], "f4[:]"]
F4x2 = Annotated[NDArray[np.float32], "f4[:,:]"]
F4x3 = Annotated[NDArray[np.float32], "f4[:,:,:]"]
I4 = Annotated[NDArray[np.int32], "i4[:]"]
I4x2 = Annotated[NDArray[np.int32], "i4[:,:]"]
I4x3 = Annotated[NDArray[np.int32], "i4[:,:,:]"]
I8 = Annotated[NDArray[np.int64], "i8[:]"]
I8x2 = Annotated[NDArray[np.int64], "i8[:,:]"]
U8 = Annotated[NDArray[np.uint64], "u8[:]"]
U8x2 = Annotated[NDArray[np.uint64], "u8[:,:]"]
U1 = Annotated[NDArray[np.uint8], "u1[:]"]
U1x2 = Annotated[NDArray[np.uint8], "u1[:,:]"]
U1x3 = Annotated[NDArray[np.uint8], "u1[:,:,:]"]
B1 = Annotated[NDArray[np.bool_], "b1[:]"]
B1x2 = Annotated[NDArray[np.bool_], "b1[:,:]"]
B1x3 = Annotated[NDArray[np.bool_], "b1[:,:,:]"]

_TYPES: dict[str, Any] = {
    "f8": types.float64,
    "f4": types.float32,
    "i8": types.int64,
    "i4": types.int32,
    "i2": types.int16,
    "u8": types.uint64,
    "u1": types.uint8,
    "i1": types.int8,
    "b1": types.boolean,
}


_STABLE = ("builtins", "math", "numba", "numpy")
"""Modules whose contents count as part of the interpreter; Numba's key has their versions."""


def _digest(function: Any, seen: set[int], out: Any) -> None:
    """Feed ``out`` with the code of ``function`` and of all that it reaches through its globals."""
    if id(function) in seen:
        return
    seen.add(id(function))
    stack = [function.__code__]
    while stack:
        code = stack.pop()
        out.update(code.co_code)
        for constant in code.co_consts:
            if hasattr(constant, "co_code"):
                stack.append(constant)
            else:
                out.update(repr(constant).encode())
        for name in code.co_names:
            _digest_value(name, function.__globals__.get(name), code.co_names, seen, out)


def _digest_value(name: str, value: Any, names: tuple[str, ...], seen: set[int], out: Any) -> None:
    """Feed ``out`` with a global; of a module, with those of its contents that ``names`` has."""
    if hasattr(value, "py_func"):
        _digest(value.py_func, seen, out)
        for sig in getattr(value, "nopython_signatures", ()):
            out.update(repr(_fields(sig)).encode() if _fields(sig) else b"")
    elif isinstance(value, np.ndarray):
        out.update(f"{name}={value.dtype}{value.shape}".encode() + value.tobytes())
    elif isinstance(value, bool | int | float | str | tuple):
        out.update(f"{name}={value!r}".encode())
    elif isinstance(value, EnumMeta):
        members: list[Any] = list(value)
        out.update(f"{name}={[(member.name, member.value) for member in members]}".encode())
    elif isinstance(value, type) and hasattr(value, "_fields"):
        out.update(f"{name}={value._fields}".encode())
    elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] not in _STABLE and id(value) not in seen:
        seen.add(id(value))
        for inner in names:
            _digest_value(f"{name}.{inner}", getattr(value, inner, None), names, seen, out)


def _fields(sig: Any) -> tuple[tuple[str, ...], ...]:
    """Field names of the bundles in a signature. Numba's key has their types only: two fields of one type may swap."""
    return tuple(t.fields for t in (*sig.args, sig.return_type) if isinstance(t, types.BaseNamedTuple))


class _ReachingCache(FunctionCache):
    """Numba's function cache with the digest of everything a kernel reaches in its key."""

    def __init__(self, py_func: Any, allocates: bool) -> None:
        super().__init__(py_func)
        digest = hashlib.sha256(b"allocates" if allocates else b"")
        _digest(py_func, set(), digest)
        self._reached = digest.hexdigest()

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), self._reached, *_fields(sig))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is on disk, or None. An index that names modules of an older version is no error but a miss."""
        try:
            return super().load_overload(sig, target_context)
        except (ImportError, AttributeError, EOFError, ValueError, TypeError):
            self.flush()
            return None


def bundle(cls: type[tuple[Any, ...]]) -> Any:
    """Numba type of a ``NamedTuple`` of arrays, for use in a signature.

    Its fields are annotated with the array aliases of this module (``F8``, ``I4x2``, ...), ``float`` or ``int``.
    """
    scalars = {float: "f8", int: "i8", bool: "b1"}
    hints = get_type_hints(cls, include_extras=True)
    fields = [_parse(scalars[h] if h in scalars else h.__metadata__[0]) for h in hints.values()]
    if len(set(fields)) == 1:  # Numba has a type of its own for tuples of one kind
        return types.NamedUniTuple(fields[0], len(fields), cls)
    return types.NamedTuple(fields, cls)


def _parse(spec: str) -> Any:
    """Numba type for a code such as ``f8``, ``i4[:]``, ``f8[:,:]`` or, for a tuple, ``i4,f8,f8``."""
    if "[" in spec:
        code, dims = spec.rstrip("]").split("[")
        return types.Array(_TYPES[code], dims.count(":"), "C")
    if "," in spec:
        return types.Tuple([_parse(part) for part in spec.split(",")])
    return _TYPES[spec]


def signature(result: Any, *arguments: Any) -> Any:
    """Numba signature from codes (see :func:`bundle`) or Numba types; ``result`` may be ``"void"``."""

    def resolve(code: Any) -> Any:
        return types.void if code == "void" else _parse(code) if isinstance(code, str) else code

    return resolve(result)(*(resolve(a) for a in arguments))


def jit(result: Any, *arguments: Any, allocates: bool = False) -> Callable[[F], F]:
    """Compile a kernel now, for one signature given as codes: ``@jit("f8", "f8[:,:]", "i8")``.

    A kernel that makes arrays must say ``allocates``. All others are compiled without reference counting: a call that
    hands over bundles of some hundred arrays would count every one up and down atomically, measured at 1.6 microseconds
    a call against 0.03 for the work itself.
    """

    def compile_(function: F) -> F:
        options: dict[str, Any] = {} if allocates else {"_nrt": False}
        dispatcher = numba.njit(nogil=True, fastmath=False, error_model="numpy", **options)(function)
        dispatcher._cache = _ReachingCache(dispatcher.py_func, allocates)
        dispatcher.compile(signature(result, *arguments))
        dispatcher.disable_compile()
        return dispatcher  # type: ignore[no-any-return]

    return compile_
