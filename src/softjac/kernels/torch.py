"""What the reference needs to know of torch: the array-API names of its functions."""

from types import SimpleNamespace
from typing import Any

import torch

from softjac.kernels.array_api import Array, Library

_INTEGERS = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64}


class Torch(Library):
    """torch, on any device; where that has no float64 (Apple's MPS), everything is computed in float32."""

    def __init__(self) -> None:
        super().__init__("torch", _NAMESPACE)

    def from_numbers(self, value: object, like: Array) -> Array:
        """A Python number or list as a tensor, beside `like`."""
        return torch.as_tensor(value, device=like.device)

    def problem(self, array: Array) -> str:
        """Sparse and other layouts are refused."""
        return "" if array.layout == torch.strided else f"has layout {array.layout}: pass its to_dense()"

    def kind(self, dtype: Any) -> str:
        """The kind of a dtype: "float", "integer", "bool" or "other" (complex, quantised, float8)."""
        if dtype.is_floating_point and dtype.itemsize > 1:
            return "float"
        if dtype == torch.bool:
            return "bool"
        return "integer" if dtype in _INTEGERS else "other"

    def widest(self, like: Array) -> Any:
        """float64, but for MPS."""
        return torch.float32 if like.device.type == "mps" else torch.float64


def _any(x: Array, *, axis: int, keepdims: bool) -> Array:
    return torch.any(x, dim=axis, keepdim=keepdims)


def _argmax(x: Array, *, axis: int, keepdims: bool) -> Array:
    return torch.argmax(x, dim=axis, keepdim=keepdims)


def _astype(x: Array, dtype: Any) -> Array:
    return x.to(dtype)


def _max(x: Array, *, axis: int, keepdims: bool) -> Array:
    return torch.amax(x, dim=axis, keepdim=keepdims)


def _min(x: Array, *, axis: int, keepdims: bool) -> Array:
    return torch.amin(x, dim=axis, keepdim=keepdims)


def _result_type(*arrays: Array) -> Any:
    dtype = arrays[0].dtype
    for array in arrays[1:]:
        dtype = torch.promote_types(dtype, array.dtype)
    return dtype


def _sum(x: Array, *, axis: int, keepdims: bool) -> Array:
    return torch.sum(x, dim=axis, keepdim=keepdims)


def _take_along_axis(x: Array, indices: Array, *, axis: int) -> Array:
    return torch.take_along_dim(x, indices, dim=axis)


# What the reference uses, and no more. No function looks at a value or writes into an array.
_NAMESPACE = SimpleNamespace(
    inf=torch.inf,
    nan=torch.nan,
    bool=torch.bool,
    abs=torch.abs,
    any=_any,
    arange=torch.arange,
    argmax=_argmax,
    astype=_astype,
    broadcast_to=torch.broadcast_to,
    ceil=torch.ceil,
    exp=torch.exp,
    finfo=torch.finfo,
    full=torch.full,
    full_like=torch.full_like,
    isfinite=torch.isfinite,
    isinf=torch.isinf,
    isnan=torch.isnan,
    log=torch.log,
    log1p=torch.log1p,
    log2=torch.log2,
    max=_max,
    min=_min,
    ones=torch.ones,
    ones_like=torch.ones_like,
    permute_dims=torch.permute,
    reshape=torch.reshape,
    result_type=_result_type,
    round=torch.round,
    sum=_sum,
    take_along_axis=_take_along_axis,
    where=torch.where,
    zeros_like=torch.zeros_like,
)
