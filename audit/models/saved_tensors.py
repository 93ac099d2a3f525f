"""Reading of checkpoints that ``torch.save`` wrote, without unpickling them.

An unpickler does what the file says: even one that runs no code allocates as much memory as it is told, a gigabyte for
a file of 858 bytes. Here the instructions of the pickle are followed by a machine of a few lines that knows texts,
numbers, lists, dictionaries and tensors. A tensor is a view of bytes that are in the file, so that it cannot be larger
than them, and no function of the file's choice is ever called.

Both forms of torch are read: the zip archive and, before torch 1.6, pickles followed by the tensors' bytes.
"""

from __future__ import annotations

import io
import mmap
import pickletools
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import torch
from torch import Tensor

from audit.core.opening import open_regular

MAX_PICKLE_BYTES: Final = 1 << 22
"""Maximum size of the instructions, without the tensors' bytes; those of 500 tensors have about 100 kB."""
MAX_DIMENSIONS: Final = 16
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_LEGACY_PICKLES: Final = 3
"""Pickles before that of the content: a magic number, the version, and facts of the machine."""
_DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_DICTIONARY: Final = "collections OrderedDict"
_TENSOR: Final = frozenset(("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor"))
_PARAMETER: Final = "torch._utils _rebuild_parameter"
_PUSHED: Final = frozenset(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")) | {
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
}
"""Instructions that push a value of the file itself."""
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES: Final = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DAMAGE: Final = (
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    NotImplementedError,
)
"""What reading a damaged file may raise besides ValueError."""
_MARK: Final = object()


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...
    def tell(self) -> int: ...


@dataclass(frozen=True)
class _Name:
    """A name of the file's choice, which is only compared."""

    name: str


@dataclass(frozen=True)
class _Storage:
    """The bytes of one or more tensors, by their key in the file."""

    key: str
    dtype: torch.dtype
    length: int


@dataclass(frozen=True, eq=False)
class _View:
    """A tensor: a part of a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.size, *self.stride)
        if len(self.size) != len(self.stride) or len(self.size) > MAX_DIMENSIONS:
            raise ValueError("a tensor has an invalid shape")
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("a tensor has an invalid shape")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if 0 not in self.size and last >= self.storage.length:
            raise ValueError("a tensor is larger than its bytes")

    def tensor(self, flat: Tensor) -> Tensor:
        """The tensor, given all values of the storage."""
        return flat.as_strided(self.size, self.stride, self.offset)


@dataclass
class _Machine:
    """Follows the instructions of one pickle; raises ValueError for any that a file of tensors does not need."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    dictionaries: list[dict[Any, Any]] = field(default_factory=list)

    def run(self, stream: _Stream) -> Any:
        """The value of the pickle at the position of the stream, which is then behind it."""
        began = stream.tell()
        for operation, argument, place in pickletools.genops(stream):  # type: ignore[arg-type]  # reads only
            if (place or 0) - began > MAX_PICKLE_BYTES:
                raise ValueError(f"its pickle is larger than {MAX_PICKLE_BYTES:,} bytes")
            if operation.name == "STOP":
                return self.stack.pop()
            self._do(operation.name, argument)
        raise ValueError("its pickle is cut off")

    def _do(self, name: str, argument: Any) -> None:
        if name in ("PROTO", "FRAME"):
            return
        if name in _PUSHED:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            self.stack.append(self._popped(_TUPLES[name]))
        elif (act := self._acts().get(name)) is not None:
            act(argument)
        else:
            raise ValueError(f"its pickle has the instruction {name}")

    def _acts(self) -> dict[str, Callable[[Any], None]]:
        stack = self.stack
        return {
            "MARK": lambda _: stack.append(_MARK),
            "EMPTY_LIST": lambda _: stack.append([]),
            "EMPTY_DICT": lambda _: stack.append(self._dictionary()),
            "TUPLE": lambda _: stack.append(tuple(self._to_mark())),
            "LIST": lambda _: stack.append(self._to_mark()),
            "DICT": lambda _: self._set(self._to_mark(), self._dictionary(), push=True),
            "APPEND": lambda _: self._extend([stack.pop()]),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "SETITEM": lambda _: self._set(list(self._popped(2)), stack[-1]),
            "SETITEMS": lambda _: self._set(self._to_mark(), stack[-1]),
            "PUT": lambda at: self.memo.__setitem__(int(at), stack[-1]),
            "BINPUT": lambda at: self.memo.__setitem__(at, stack[-1]),
            "LONG_BINPUT": lambda at: self.memo.__setitem__(at, stack[-1]),
            "MEMOIZE": lambda _: self.memo.__setitem__(len(self.memo), stack[-1]),
            "GET": lambda at: stack.append(self.memo[int(at)]),
            "BINGET": lambda at: stack.append(self.memo[at]),
            "LONG_BINGET": lambda at: stack.append(self.memo[at]),
            "GLOBAL": lambda named: stack.append(_Name(named)),
            "STACK_GLOBAL": lambda _: stack.append(_Name(" ".join(map(str, self._popped(2))))),
            "BINPERSID": lambda _: stack.append(_storage(stack.pop())),
            "REDUCE": lambda _: stack.append(self._made(*self._popped(2))),
            "BUILD": lambda _: self._build(),
        }

    def _popped(self, number: int) -> tuple[Any, ...]:
        if number > len(self.stack):
            raise ValueError("its pickle is damaged")
        found = tuple(self.stack[len(self.stack) - number :])
        del self.stack[len(self.stack) - number :]
        return found

    def _to_mark(self) -> list[Any]:
        found: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            found.append(value)
        return found[::-1]

    def _dictionary(self) -> dict[Any, Any]:
        self.dictionaries.append({})
        return self.dictionaries[-1]

    def _extend(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise ValueError("its pickle appends to something else than a list")
        self.stack[-1].extend(values)

    def _set(self, pairs: list[Any], target: Any, *, push: bool = False) -> None:
        if type(target) is not dict or len(pairs) % 2:
            raise ValueError("its pickle has keys for something else than a dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, str | int | float):
                raise ValueError(f"a dictionary has a key of the type {type(key).__name__}")
            target[key] = value
        if push:
            self.stack.append(target)

    def _made(self, what: Any, given: Any) -> Any:
        """The result of a call in the file: a dictionary or a tensor."""
        name = what.name if isinstance(what, _Name) else type(what).__name__
        if isinstance(given, tuple):
            if name == _DICTIONARY and not given:
                return self._dictionary()
            if name in _TENSOR and len(given) >= 4 and isinstance(given[0], _Storage):
                size, stride = (value if isinstance(value, tuple) else () for value in given[2:4])
                return _View(given[0], given[1], size, stride)
            if name == _PARAMETER and given and isinstance(given[0], _View):
                return given[0]
        raise ValueError(f"its pickle calls {name[:80]}")

    def _build(self) -> None:
        """Attributes of a dictionary, such as the versions of its layers, are dropped."""
        target, _ = self._popped(2)
        if type(target) is not dict:
            raise ValueError(f"its pickle has attributes for a {type(target).__name__}")
        self.stack.append(target)


def read_tensors_saved(path: Path, max_bytes: int) -> object:
    """The content of a file that ``torch.save`` wrote, on the CPU.

    Dictionaries have their tensors as values. Tensors elsewhere, for example in lists, are left out: there is an object
    in their place that cannot be used.

    Raises
    ------
    ValueError
        If it is not such a file, has anything but tensors, texts and numbers, or more than ``max_bytes`` unpacked.
    OSError
        If it cannot be read.
    """
    if sys.byteorder != "little":
        raise ValueError("checkpoints are read on little-endian machines only")
    machine = _Machine()
    try:
        with open_regular(path) as file:
            if zipfile.is_zipfile(file):
                value, flat = _from_zip(file, machine, max_bytes)
            else:
                value, flat = _from_pickles(file, machine, max_bytes)
    except (
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise ValueError(f"it is damaged: {type(error).__name__}: {error}") from error
    for made in machine.dictionaries:
        made.update({key: flat(item) for key, item in made.items() if isinstance(item, _View)})
    return value


def _from_zip(file: BinaryIO, machine: _Machine, max_bytes: int) -> tuple[Any, Callable[[_View], Tensor]]:
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max_bytes:
            raise ValueError(f"its {unpacked:,} bytes unpacked are more than {max_bytes:,}")
        names = {entry.filename: entry for entry in archive.infolist()}
        (pickle,) = [name for name in names if name.endswith("/data.pkl")] or ["no data.pkl"]
        folder = pickle.removesuffix("data.pkl")
        if names[pickle].file_size > MAX_PICKLE_BYTES:
            raise ValueError(f"its pickle is larger than {MAX_PICKLE_BYTES:,} bytes")
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder")[:8].strip() != b"little":
            raise ValueError("its numbers are big-endian")
        value = machine.run(io.BytesIO(archive.read(pickle)))
        used = {view.storage for made in machine.dictionaries for view in made.values() if isinstance(view, _View)}
        found = {}
        for storage in used:
            entry = names[f"{folder}data/{storage.key}"]
            if entry.file_size != storage.length * storage.dtype.itemsize:
                raise ValueError(f"the tensor {entry.filename} has {entry.file_size:,} bytes, not those of its length")
            found[storage] = _flat(archive.read(entry), storage)
    return value, lambda view: view.tensor(found[view.storage])


def _from_pickles(file: BinaryIO, machine: _Machine, max_bytes: int) -> tuple[Any, Callable[[_View], Tensor]]:
    """The content of a file before torch 1.6: pickles, then for each storage its length and its bytes."""
    with _mapped(file) as data:
        if len(data) > max_bytes:
            raise ValueError(f"its {len(data):,} bytes are more than {max_bytes:,}")
        if _Machine().run(data) != _MAGIC:
            raise ValueError("it does not begin as torch.save writes")
        for _ in range(_LEGACY_PICKLES - 1):
            _Machine().run(data)
        value = machine.run(data)
        keys = _Machine().run(data)
        used = {view.storage for made in machine.dictionaries for view in made.values() if isinstance(view, _View)}
        by_key = {storage.key: storage for storage in used}
        found = {}
        for key in keys:
            if (storage := by_key.get(key)) is None:
                raise ValueError("it has tensors outside dictionaries")
            (length,) = struct.unpack("<q", data.read(8))
            n_bytes = storage.length * storage.dtype.itemsize
            if length != storage.length or n_bytes > len(data) - data.tell():
                raise ValueError("a tensor has other bytes than its length says")
            found[storage] = _flat(data.read(n_bytes), storage)
    return value, lambda view: view.tensor(found[view.storage])


@contextmanager
def _mapped(file: BinaryIO) -> Iterator[mmap.mmap]:
    """A file in memory as it is read; unlike that of a file, its ``read`` allocates no more than there is."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _flat(data: bytes, storage: _Storage) -> Tensor:
    if not data:
        return torch.empty(0, dtype=storage.dtype)
    return torch.frombuffer(bytearray(data), dtype=storage.dtype)


def _storage(named: Any) -> _Storage:
    """The storage that a tuple of the file names: ("storage", type, key, device, length, ...)."""
    if not isinstance(named, tuple) or len(named) < 5 or named[0] != "storage" or any(named[5:]):
        raise ValueError("its pickle refers to something else than the bytes of a tensor")
    _, kind, key, _, length = named[:5]
    module, _, name = kind.name.partition(" ") if isinstance(kind, _Name) else ("", "", "")
    if module != "torch" or name not in _DTYPES or type(length) is not int or length < 0:
        raise ValueError(f"a tensor has the type {name[:40]}")
    return _Storage(str(key), _DTYPES[name], length)
