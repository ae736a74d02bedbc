"""Arrays of logits from .npy and .npz files, which are opened without ever running what a pickle would run."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from softjac._cli.errors import CommandError, did_you_mean, quoted

Array: TypeAlias = npt.NDArray[Any]

_NPY, _ZIP, _PICKLE = b"\x93NUMPY", b"PK", b"\x80"


def read_npy(path: str) -> Array:
    """The array of a .npy file, mapped and not read where that is possible."""
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
    if start.startswith(_PICKLE):
        raise _pickled(path)
    if start != _NPY:
        raise CommandError(f"{path} is not a .npy file: {_what_it_is(start)}")
    try:
        mapped: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        if "bject" in str(error):
            raise _pickled(path) from None
        raise _damaged(path, "npy") from None
    return mapped


def read_npz(path: str, name: str | None) -> Array:
    """The array ``name`` of a .npz file, or the only one it has."""
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
        if not start.startswith(_ZIP):
            raise CommandError(f"{path} is not a .npz file: {_what_it_is(start)}")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as arrays:
                names = [member for member in arrays.files if f"{member}.npy" in arrays.zip.namelist()]
                chosen = names[0] if name is None and len(names) == 1 else name
                if chosen in names:
                    array: Array | bytes = arrays[chosen]
                    if isinstance(array, bytes):  # what NumPy gives of a member that does not begin as a .npy file
                        raise ValueError("no array")
                    return array
        except MemoryError:
            raise
        except Exception as error:
            raise (_pickled(path) if "bject" in str(error) else _damaged(path, "npz")) from None
    if not names:
        raise CommandError(f"{path} holds no array")
    if name is None:
        raise CommandError(f"{path} holds {len(names)} arrays ({_listed(names)}): choose one, as --array {names[0]}")
    raise CommandError(
        f"{path} holds no array {quoted(name)}: " + did_you_mean(name, names, f"it holds {_listed(names)}")
    )


def _listed(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _pickled(path: str) -> CommandError:
    return CommandError(
        f"{path} holds pickled Python objects, which can run any code when read:"
        " save plain numbers, with numpy.save(file, array.astype(float))"
    )


def _damaged(path: str, kind: str) -> CommandError:
    return CommandError(f"{path} is damaged: it begins as a .{kind} file, but what follows cannot be read")


def _what_it_is(start: bytes) -> str:
    if not start:
        return "it is empty"
    if start == _NPY:
        return "it is a .npy file, name it so"
    if start.startswith(_ZIP):
        return "it is a .npz or another zip file"
    if start.startswith(_PICKLE):
        return "it is a pickle"
    return "write it with numpy.save or numpy.savez"
