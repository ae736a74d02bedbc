"""The public names and their signatures: exactly these."""

import importlib
import inspect
import os
import subprocess
import sys
import types
from importlib import resources
from pathlib import Path

import pytest

OPTIONS = (
    "axis=-1, *, weight=None, sample_weight=None, label_smoothing=0.0, ignore_index=None, z_loss=0.0, where=None, "
    "reduction='mean', return_denominator=False"
)
FUNCTIONS = {
    "softmax": "(logits, /, axis=-1, *, where=None, out=None)",
    "log_softmax": "(logits, /, axis=-1, *, where=None, out=None)",
    "softmax_complement": "(logits, /, axis=-1, *, where=None, out=None)",
    "logsumexp": "(logits, /, axis=-1, *, b=None, keepdims=False, where=None, out=None)",
    "softmax_jacobian": "(logits, /, axis=-1, *, where=None, out=None)",
    "softmax_jvp": "(logits, tangent, /, axis=-1, *, where=None, out=None)",
    "softmax_vjp": "(logits, cotangent, /, axis=-1, *, where=None, out=None, probs=None)",
    "log_softmax_jvp": "(logits, tangent, /, axis=-1, *, where=None, out=None)",
    "log_softmax_vjp": "(logits, cotangent, /, axis=-1, *, where=None, out=None, probs=None)",
    "softmax_second_derivative": "(logits, u, v, /, axis=-1, *, where=None, out=None)",
    "cross_entropy": f"(logits, targets, /, {OPTIONS})",
    "cross_entropy_grad": f"(logits, targets, /, {OPTIONS}, out=None)",
    "cross_entropy_value_and_grad": f"(logits, targets, /, {OPTIONS}, out=None)",
    "cross_entropy_hessian": f"(logits, targets, /, {OPTIONS})",
    "cross_entropy_hvp": f"(logits, targets, tangent, /, {OPTIONS}, out=None)",
    "explain_dispatch": "(x, /)",
    "get_num_threads": "()",
    "num_threads": "(n, /)",
    "set_num_threads": "(n, /)",
    "show_config": "()",
}
CLASSES = {"SoftmaxJacobian": "(logits, /, axis=-1, *, where=None)", "CrossEntropyHessian": "(problem)"}
METHODS = {
    "from_probs": "(probs, /, axis=-1, *, where=None)",
    "matvec": "(self, x)",
    "rmatvec": "(self, x)",
    "matmat": "(self, x)",
    "rmatmat": "(self, x)",
    "to_dense": "(self, out=None)",
    "diagonal": "(self)",
    "trace": "(self)",
    "row": "(self, i)",
    "quad": "(self, v)",
    "sandwich": "(self, a)",
    "solve": "(self, b, damping=0.0)",
    "pinv": "(self)",
    "sqrt_factor": "(self)",
    "cholesky": "(self)",
    "sample": "(self, size=None, rng=None)",
    "logpdet": "(self)",
    "rank": "(self)",
    "eigvalsh": "(self)",
    "eigh": "(self)",
    "norm": "(self, ord=2)",
    "as_linear_operator": "(self)",
}
PROPERTIES = {
    "shape", "matrix_shape", "batch_shape", "ndim", "dtype", "probs", "complement", "weight", "damping", "T",
}  # fmt: skip
HESSIAN_METHODS = {
    "matvec", "rmatvec", "matmat", "rmatmat", "to_dense", "diagonal", "quad", "solve",
}  # fmt: skip
HESSIAN_PROPERTIES = {
    "shape", "matrix_shape", "batch_shape", "ndim", "dtype", "jacobian", "weight", "z_weight", "T",
}  # fmt: skip
ERRORS = {
    "ArgumentError", "AxisError", "BoundsError", "DTypeError", "DerivationError", "ShapeError", "SoftjacError",
}  # fmt: skip


def test_all_is_exactly_the_public_names(sj):
    assert list(sj.__all__) == sorted(sj.__all__)
    assert set(sj.__all__) == {*FUNCTIONS, *CLASSES, *ERRORS, "__version__"}
    modules = {name for name in dir(sj) if isinstance(getattr(sj, name), types.ModuleType)}
    public = {name for name in dir(sj) if not name.startswith("_")}
    # The modules that a user may look into; the functions hide those of the same name.
    assert public - modules == set(sj.__all__) - {"__version__"}


def test_a_function_hides_the_module_of_its_name(sj):
    assert callable(sj.softmax)


def test_derivation_is_found_through_the_package(sj):
    assert sj.derivation is importlib.import_module(f"{sj.__name__}.derivation")
    with pytest.raises(AttributeError, match="module 'softjac' has no attribute 'derivations'"):
        _ = sj.derivations


def signature_of(function):
    parameters = inspect.signature(function).parameters.values()
    return str(inspect.Signature([parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]))


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_signatures(name, sj):
    assert signature_of(getattr(sj, name)) == {**FUNCTIONS, **CLASSES}[name]


def test_members_of_the_operator(sj):
    public = {name for name in dir(sj.SoftmaxJacobian) if not name.startswith("_")}
    assert public == {*METHODS, *PROPERTIES}
    for name, signature in METHODS.items():
        assert signature_of(getattr(sj.SoftmaxJacobian, name)) == signature, name
    for name in public:
        assert inspect.getdoc(getattr(sj.SoftmaxJacobian, name)), name


def test_members_of_the_hessian(sj):
    public = {name for name in dir(sj.CrossEntropyHessian) if not name.startswith("_")}
    assert public == HESSIAN_METHODS | HESSIAN_PROPERTIES
    for name in HESSIAN_METHODS & METHODS.keys():
        assert signature_of(getattr(sj.CrossEntropyHessian, name)) == METHODS[name], name
    for name in public:
        assert inspect.getdoc(getattr(sj.CrossEntropyHessian, name)), name


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES, *sorted(ERRORS)])
def test_every_public_name_has_a_docstring(name, sj):
    assert inspect.getdoc(getattr(sj, name))


@pytest.mark.parametrize(
    "name", [x for x in (*FUNCTIONS, *CLASSES) if "softmax" in x.lower() or "cross_entropy" in x or x == "logsumexp"]
)
def test_docstrings_follow_the_order(name, sj):
    """Sentence, formula, shapes, odd rows, Raises, naive expression, source, example."""
    text = inspect.getdoc(getattr(sj, name))
    places = [text.find(part) for part in ("logits", "shape (..., n)", "Raises", "Naively", "Source: ", ">>> ")]
    assert -1 not in places, text
    assert places == sorted(places), text


def test_version_is_that_of_the_package(sj):
    assert sj.__version__.count(".") == 2


def test_the_package_is_typed(sj):
    assert resources.files(sj).joinpath("py.typed").is_file()


TYPED = """
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import softjac as sj


def check(narrow: NDArray[np.float32], wide: NDArray[np.float64], ints: NDArray[np.int64], frame: Any) -> None:
    assert_type(sj.softmax(narrow, axis=(0, 1), where=ints > 0), NDArray[np.float32])
    assert_type(sj.softmax_jacobian(wide, 0, out=wide), NDArray[np.float64])
    assert_type(sj.softmax_jvp(narrow, narrow), NDArray[np.float32])
    assert_type(sj.softmax_second_derivative(wide, wide, wide), NDArray[np.float64])
    assert_type(sj.softmax(ints), Any)
    assert_type(sj.softmax([1, 2]), Any)
    assert_type(sj.softmax_jvp(narrow, [1.0]), Any)
    assert_type(sj.softmax_vjp(None, wide, probs=wide), Any)
    assert_type(sj.log_softmax(frame), Any)
    assert_type(sj.logsumexp(wide, axis=None, b=2), Any)
    with sj.num_threads(2):
        assert_type(sj.get_num_threads(), int)
    J = 2.0 * sj.SoftmaxJacobian(wide) + 0.5
    assert_type(J, sj.SoftmaxJacobian)
    assert_type(J @ wide, NDArray[Any])
    assert_type(J.cholesky().solve(wide), NDArray[Any])
    print(sj.show_config(), sj.explain_dispatch(frame), sj.__version__)
    try:
        sj.softmax_jacobian(wide, axis=None)  # type: ignore[call-overload]
    except sj.DTypeError:
        pass
"""


def test_type_checkers_know_what_comes_out(tmp_path):
    """Under mypy --strict, as a user's code sees the package; an unused `type: ignore` is an error too."""
    pytest.importorskip("mypy", reason="mypy is not installed: pip install --group lint")
    (tmp_path / "user.py").write_text(TYPED, encoding="utf-8")
    package = Path(str(resources.files("softjac"))).parent
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", "user.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": "" if package.name == "site-packages" else str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
