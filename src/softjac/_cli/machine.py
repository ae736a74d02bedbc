"""The formats for programs: JSON, CSV and .npy. All of them hold every number, in NumPy's shapes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.digits import for_programs, rounded
from softjac._cli.results import Results

_NO_JSON_NUMBER = {"nan": "null", "inf": "null", "-inf": "null"}


def write_json(results: Results, decimals: int | None) -> Iterator[str]:
    """One list, or lists in a list, on one line; several results stand one a line. NaN and infinities are null."""
    yield from json_of(results, decimals)
    yield "\n"


def json_of(results: Results, decimals: int | None) -> Iterator[str]:
    """As `write_json`, without the end of the line."""
    several = results.logits.has_rows
    for k, item in enumerate(results.items()):
        if several:
            yield ",\n" if k else "["
        for i, row in enumerate(results.lines(item)):
            yield (", " if i else "[" * (item.ndim - 1)) + json_row(row, decimals)
        yield "]" * (item.ndim - 1)
    if several:
        yield "]"


def json_row(row: Array, decimals: int | None) -> str:
    """A row of numbers as a list."""
    return "[" + ", ".join(_NO_JSON_NUMBER.get(text, text) for text in for_programs(row, decimals)) + "]"


def write_csv(results: Results, decimals: int | None) -> Iterator[str]:
    """One row of numbers a line; where there are several Jacobians, under a header and after the columns row and i."""
    several_matrices = len(results.shape) == 3
    if several_matrices:
        yield ",".join(["row", "i", *(f"z[{j}]" for j in range(results.shape[-1]))]) + "\n"
    for k, item in enumerate(results.items()):
        for i, row in enumerate(results.lines(item)):
            place = [str(k), str(i)] if several_matrices else []
            yield ",".join([*place, *for_programs(row, decimals)]) + "\n"


def write_npy(results: Results, decimals: int | None) -> Iterator[bytes]:
    """NumPy's own format: the exact bits, or the rounded numbers, in the dtype of the logits."""
    header: bytes | None = None
    for item in results.items():
        if header is None:
            header = _npy_header(results.shape, item.dtype)
            yield header
        for row in results.lines(item):
            yield (row if decimals is None else rounded(row, decimals)).tobytes()


def _npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    header = io.BytesIO()
    fields = {"shape": shape, "fortran_order": False, "descr": np.lib.format.dtype_to_descr(dtype)}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue()
