"""What the reference needs to know of an array library that follows the array-API standard."""

from typing import Any

from softjac.kernels._arithmetic import Arithmetic

Array = Any


class Library:
    """An array library: its namespace, its arrays, and the dtype it computes in.

    name: for messages. xp: its namespace.
    """

    def __init__(self, name: str, xp: Any) -> None:
        self.name = name
        self.xp = xp

    def from_numbers(self, value: object, like: Array) -> Array:
        """A Python number or list as an array of this library, beside `like`."""
        return self.xp.asarray(value, device=like.device)

    def problem(self, array: Array) -> str:
        """What keeps an array from being computed with, whatever its dtype; "" if nothing does."""
        del array
        return ""

    def kind(self, dtype: Any) -> str:
        """The kind of a dtype: "float", "integer", "bool" or "other"."""
        for kind, names in (("float", "real floating"), ("integer", "integral"), ("bool", "bool")):
            if self.xp.isdtype(dtype, names):
                return kind
        return "other"

    def widest(self, like: Array) -> Any:
        """The widest floating-point dtype on the device of `like`, at most float64."""
        floats = self.xp.__array_namespace_info__().dtypes(device=like.device, kind="real floating")
        return floats.get("float64", floats.get("float32"))

    def arithmetic(self, dtype: Any, like: Array) -> Arithmetic:
        """What results of this dtype are computed in: the widest dtype there is."""
        inside = self.widest(like)
        return Arithmetic(self.xp, inside, exact_differences=dtype == inside, device=self.device(like))

    def device(self, like: Array) -> Any:
        """Where new arrays are made."""
        return like.device
