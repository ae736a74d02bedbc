"""torch, JAX and array-API arrays: computed in their own library, differentiated by their own autodiff."""

import os

import numpy as np
import pytest

import softjac as sj
from functions import FUNCTIONS, NAMES, operands_like
from odd_rows import ODD_ROWS, ODD_TANGENTS, ODD_WEIGHTS, derivatives_of

REQUIRED = os.environ.get("SOFTJAC_REQUIRE_PEERS", "") not in {"", "0"}
INF, NAN = np.inf, np.nan


def peer(name, extra):
    if REQUIRED:
        return __import__(name, fromlist=["_"])
    return pytest.importorskip(name, reason=f"{name} is not installed: pip install 'softjac[{extra}]'")


class Strict:
    """array-api-strict: the standard and nothing more."""

    def __init__(self):
        self.xp = peer("array_api_strict", "test")
        self.name, self.type = "array_api_strict", type(self.xp.asarray(0.0))
        self.dtypes = ["float32", "float64"]
        self.widest = "float64"

    def array(self, x, dtype=None):
        x = np.asarray(x)
        return self.xp.asarray(x if dtype is None else x.astype(dtype))

    def dtype(self, x):
        return str(x.dtype).rpartition(".")[2]


class Torch:
    def __init__(self):
        self.xp = peer("torch", "peers")
        self.name, self.type = "torch", self.xp.Tensor
        self.dtypes = ["float16", "bfloat16", "float32", "float64"]
        self.widest = "float64"

    def array(self, x, dtype=None):
        x = self.xp.as_tensor(np.asarray(x))
        return x if dtype is None else x.to(getattr(self.xp, dtype))

    def dtype(self, x):
        return str(x.dtype).rpartition(".")[2]


class Jax:
    def __init__(self):
        self.jax = peer("jax", "peers")
        self.jax.config.update("jax_disable_most_optimizations", True)  # compiling is what takes the time here
        self.xp = peer("jax.numpy", "peers")
        self.name, self.type = "jax", self.jax.Array
        self.dtypes = ["float16", "bfloat16", "float32"]
        self.widest = "float32"

    def array(self, x, dtype=None):
        x = np.asarray(x)
        if dtype is None and x.dtype == np.float64:
            dtype = "float32"
        return self.xp.asarray(x, dtype=dtype)

    def dtype(self, x):
        return str(x.dtype)


LIBRARIES = {"array_api_strict": Strict, "torch": Torch, "jax": Jax}


@pytest.fixture(params=LIBRARIES)
def lib(request):
    return LIBRARIES[request.param]()


def to_numpy(x):
    if hasattr(x, "detach"):
        x = x.detach().double()
    return np.asarray(x).astype(np.float64)


def close(dtype):
    eps = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}[dtype]
    return {"rtol": 60 * eps, "atol": 60 * eps}


def rounded(lib, operands, dtype):
    """The operands in the library and, exactly the same numbers, as NumPy's float64."""
    arrays = [lib.array(x, dtype) for x in operands]
    return arrays, [to_numpy(x) for x in arrays]


# ------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("name", NAMES)
def test_values_types_and_dtypes(name, lib):
    function = FUNCTIONS[name]
    z = np.random.default_rng(0).standard_normal((4, 4, 4)) * 3
    for dtype in lib.dtypes:
        arrays, plain = rounded(lib, operands_like(function, z), dtype)
        for axis in (-1, 0, 1):
            result = function(sj, *arrays, axis=axis)
            assert isinstance(result, lib.type)
            assert lib.dtype(result) == dtype
            np.testing.assert_allclose(to_numpy(result), function(sj, *plain, axis=axis), **close(dtype))


@pytest.mark.parametrize("axis", [None, (0, 2)])
@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].many_axes])
def test_several_axes(name, axis, lib):
    function = FUNCTIONS[name]
    z = np.random.default_rng(0).standard_normal((4, 4, 4))
    arrays, plain = rounded(lib, operands_like(function, z), lib.widest)
    np.testing.assert_allclose(
        to_numpy(function(sj, *arrays, axis=axis)), function(sj, *plain, axis=axis), **close(lib.widest)
    )
    if function.result == "row":
        kept = function(sj, *arrays, axis=axis, keepdims=True)
        assert tuple(kept.shape) == function(sj, *plain, axis=axis, keepdims=True).shape


def test_integers_and_booleans(lib):
    for dtype in (int, bool):
        values = np.random.default_rng(0).integers(0, 3, (4, 4, 4)).astype(dtype)
        result = sj.softmax(lib.array(values))
        assert lib.dtype(result) == lib.widest
        np.testing.assert_allclose(to_numpy(result), sj.softmax(values), **close(lib.widest))
    z, v = lib.array(np.zeros((4, 4, 4)), "float32"), lib.array(np.ones((4, 4, 4), int))
    assert lib.dtype(sj.softmax_jvp(z, v)) == lib.widest


def test_numbers_and_lists_go_with_any_library(lib):
    plain = np.random.default_rng(0).standard_normal((4, 4, 4)).astype(np.float32)
    z, where, v = lib.array(plain), [True, False, True, True], (1, 0, 2.5, True)
    result = sj.softmax_jvp(z, v)
    assert isinstance(result, lib.type)
    assert lib.dtype(result) == lib.widest
    np.testing.assert_allclose(to_numpy(result), sj.softmax_jvp(plain, v), **close("float32"))
    assert isinstance(sj.softmax_jvp(list(v), z), lib.type)
    np.testing.assert_allclose(to_numpy(sj.logsumexp(z, b=2)), sj.logsumexp(plain, b=2), **close("float32"))
    np.testing.assert_allclose(to_numpy(sj.softmax(z, where=where)), sj.softmax(plain, where=where), **close("float32"))
    with pytest.raises(sj.DTypeError, match="tangent"):
        sj.softmax_jvp(z, [[1.0, 2.0, 3.0, 4.0], [1.0]])


def test_broadcasting(lib):
    z, v = np.random.default_rng(0).standard_normal((2, 4, 4, 4))
    for first, second in ((z, v[0]), (z[0, 0], v), (z[:, :1], v)):
        result = sj.softmax_jvp(lib.array(first), lib.array(second))
        np.testing.assert_allclose(to_numpy(result), sj.softmax_jvp(first, second), **close(lib.widest))
    result = sj.logsumexp(lib.array(z), b=lib.array(np.abs(v)[..., :1]), axis=0)
    np.testing.assert_allclose(to_numpy(result), sj.logsumexp(z, b=np.abs(v)[..., :1], axis=0), **close(lib.widest))


def test_empty(lib):
    for shape in [(4, 0)] if lib.name == "jax" else [(0, 4), (4, 0), (0,)]:  # JAX would compile everything once more
        for name, function in FUNCTIONS.items():
            result = function(sj, *[lib.array(np.zeros(shape))] * function.operands)
            assert tuple(result.shape) == function.result_shape(shape), name
            if function.result == "row":
                assert (to_numpy(result) == -INF).all()


def rows_of_four(table, column, fill, dtype=float):
    """A column of a table of short rows as one array; what is missing in a row is filled."""
    rows = [np.broadcast_to(row[column], len(row[0])) for row in table]
    return np.array([[*row, *[fill] * (4 - len(row))] for row in rows], dtype)


def in_cubes(function, lib, *arrays, **options):
    """The function of rows of four, called with arrays of shape (4, 4, 4): JAX compiles once for each shape."""
    rows, results = len(arrays[0]), []
    for start in range(0, rows, 16):
        places = np.minimum(np.arange(start, start + 16), rows - 1)
        cubes = [lib.array(x[places].reshape(4, 4, 4)) for x in arrays]
        more = {key: lib.array(x[places].reshape(4, 4, 4)) for key, x in options.items()}
        result = to_numpy(function(*cubes, **more))
        results.append(result.reshape(16, *result.shape[2:]))
    return np.concatenate(results)[:rows]


# What is missing is masked out, and gives what masked elements give.
Z, PARTS = rows_of_four(ODD_ROWS, 0, 0), rows_of_four(ODD_ROWS, 1, False, bool)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("softmax", rows_of_four(ODD_ROWS, 2, 0)),
        ("log_softmax", rows_of_four(ODD_ROWS, 3, -INF)),
        ("softmax_complement", rows_of_four(ODD_ROWS, 4, 1)),
        ("logsumexp", [row[5] for row in ODD_ROWS]),
    ],
)
def test_odd_rows(name, expected, lib):
    with np.errstate(all="raise"):
        result = in_cubes(getattr(sj, name), lib, Z, where=PARTS)
    np.testing.assert_allclose(result, expected, **close(lib.widest))


@pytest.mark.parametrize("name", [name for name in NAMES if "j" in name or "derivative" in name])
def test_derivatives_of_odd_rows(name, lib):
    function = FUNCTIONS[name]
    alive, undefined = (np.array(x) for x in zip(*map(derivatives_of, Z, PARTS), strict=True))
    if function.takes_probs:  # these alone do not tell why one is NaN: the whole row is
        undefined = undefined.any(axis=-1, keepdims=True) & PARTS
    if function.result == "matrix":
        alive, undefined = (x[:, :, None] & x[:, None, :] for x in (alive, undefined))
    first = sj.softmax(Z, where=PARTS) if function.takes_probs else Z
    v = np.broadcast_to(np.linspace(1, 2, 4), Z.shape)
    result = in_cubes(
        lambda *x, where: function(sj, *x, where=where), lib, first, *[v] * function.tangents, where=PARTS
    )
    np.testing.assert_array_equal(np.isnan(result), undefined)
    np.testing.assert_array_equal(result[~undefined & ~alive], 0)


def test_odd_tangents(lib):
    v, where, product = (
        np.array([np.broadcast_to(x, 4) for x in column]) for column in zip(*ODD_TANGENTS, strict=True)
    )
    z = np.array([[0.0, 1, 2, -INF]] * len(v))
    np.testing.assert_array_equal(in_cubes(sj.softmax_jvp, lib, z, v, where=where), product)
    np.testing.assert_array_equal(in_cubes(sj.log_softmax_jvp, lib, z, v, where=where), product)


def test_odd_weights(lib):
    z, b = rows_of_four(ODD_WEIGHTS, 0, 0), rows_of_four(ODD_WEIGHTS, 1, 0)
    np.testing.assert_array_equal(in_cubes(sj.logsumexp, lib, z, b=b), [row[2] for row in ODD_WEIGHTS])


# ------------------------------------------------------------------------------------------------------------- errors


def test_out_is_refused(lib):
    z = lib.array([0.0, 1.0])
    for out in (z, np.empty(2)):
        with pytest.raises(sj.ArgumentError, match=f"out goes with NumPy arrays only.*{lib.name}: leave it out"):
            sj.softmax(z, out=out)


def test_libraries_do_not_mix(lib):
    z, v = lib.array([0.0, 1.0]), np.ones(2)
    with pytest.raises(
        sj.DTypeError, match=f"logits is an array of {lib.name} and tangent is an array of numpy: pass all"
    ):
        sj.softmax_jvp(z, v)
    with pytest.raises(sj.DTypeError, match=f"tangent is an array of {lib.name} and logits is an array of numpy"):
        sj.softmax_jvp(v, z)
    with pytest.raises(sj.DTypeError, match=f"logits is an array of {lib.name} and where is an array of numpy"):
        sj.softmax(z, where=v > 0)
    with pytest.raises(sj.DTypeError, match=f"where is an array of {lib.name} and logits is an array of numpy"):
        sj.softmax(v, where=z > 0)
    with pytest.raises(sj.DTypeError, match=f"b is an array of {lib.name} and logits"):
        sj.logsumexp(np.ma.ones(2), b=z)


def test_two_frameworks_do_not_mix():
    torch, jnp = peer("torch", "peers"), peer("jax.numpy", "peers")
    with pytest.raises(sj.DTypeError, match="logits is an array of torch and tangent is an array of jax"):
        sj.softmax_jvp(torch.ones(2), jnp.ones(2))


def test_mistakes_are_those_of_numpy(lib):
    z = lib.array(np.zeros((3, 4)))
    with pytest.raises(sj.AxisError, match=r"axis is 2, but logits has shape \(3, 4\)"):
        sj.softmax(z, axis=2)
    with pytest.raises(sj.ShapeError, match="4 and 3 classes"):
        sj.softmax_jvp(z, lib.array(np.zeros(3)))
    with pytest.raises(sj.DTypeError, match=r"logits has dtype .*complex"):
        sj.softmax(lib.array(np.zeros(3, np.complex64)))
    with pytest.raises(sj.DTypeError, match="where has dtype"):
        sj.softmax(z, where=z)
    with pytest.raises(sj.ShapeError, match=r"where has shape \(3,\)"):
        sj.softmax(z, where=lib.array(np.zeros(3, bool)))
    with pytest.raises(sj.AxisError, match="single number"):
        sj.softmax(lib.array(np.array(1.0)))


def test_explained(lib):
    text = str(sj.explain_dispatch(lib.array([1, 2])))
    assert f"computed by the reference in {lib.name}" in text
    assert "converted to" in text
    assert lib.widest in text


# -------------------------------------------------------------------------------------------------------------- torch

# Logits with -inf and +inf, a mask that leaves a whole row out, and logits that would overflow.
LOGITS = [[0.5, 1, -INF, 2], [1, NAN, 3, -1], [NAN, 0, INF, 1], [INF, 0, 1, 2], [1e4, -1e4, 0, 1e4]]
PART = [[1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]


@pytest.fixture
def torch():
    return peer("torch", "peers")


@pytest.fixture
def double(torch):
    def leaf(x):
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    return leaf


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement"])
def test_torch_gradients_are_the_closed_forms(name, torch, double):
    z, part = double(LOGITS), torch.tensor(PART, dtype=torch.bool)
    g = np.random.default_rng(0).standard_normal((5, 4))
    (gradient,) = torch.autograd.grad(getattr(sj, name)(z, where=part), z, torch.as_tensor(g), create_graph=True)
    closed = {"softmax": sj.softmax_vjp, "log_softmax": sj.log_softmax_vjp, "softmax_complement": sj.softmax_vjp}[name]
    expected = closed(LOGITS, g, where=np.array(PART, bool)) * (-1 if name == "softmax_complement" else 1)
    np.testing.assert_allclose(gradient.detach(), expected, rtol=1e-12, atol=1e-14)
    (second,) = torch.autograd.grad(gradient.sum(dim=0)[0], z)
    assert second.isfinite().all()


def test_torch_gradient_of_logsumexp_is_softmax(torch, double):
    z, part = double(LOGITS), torch.tensor(PART, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(sj.logsumexp(z, where=part).sum(), z)
    np.testing.assert_allclose(gradient, sj.softmax(LOGITS, where=np.array(PART, bool)), rtol=1e-12, atol=1e-15)
    b = torch.tensor([1.0, 2, 0, 0.5], dtype=torch.float64, requires_grad=True)
    finite = double([[0.5, 1, -INF, 2], [1, -INF, 3, -1], [0, 0, 0, 0]])
    gradients = torch.autograd.grad(
        sj.logsumexp(finite, b=b, where=torch.tensor([[True], [True], [False]])).nansum(), (finite, b)
    )
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_torch_gradient_of_a_nan_row_is_nan(torch, double):
    """A NaN is not lost on the way back either; the other rows do not notice."""
    z = double([[NAN, 1.0, 2.0], [0.0, 1.0, 2.0]])
    (gradient,) = torch.autograd.grad(sj.log_softmax(z)[:, 1].sum(), z)
    assert gradient[0].isnan().any()
    assert gradient[1].isfinite().all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_checks_all_derivatives(torch, double):
    """gradcheck and gradgradcheck of every function, forward and reverse, by every operand."""
    rng = np.random.default_rng(0)
    for function in FUNCTIONS.values():
        if function.takes_probs:
            continue
        operands = [double(x) for x in rng.standard_normal((function.operands, 2, 3))]
        if function.keyword:
            operands[1] = double(np.abs(operands[1].detach().numpy()) + 0.1)

        def call(*x, function=function):
            return function(sj, *x)

        assert torch.autograd.gradcheck(call, operands, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(call, operands)
    tied = double([1.0, 1, 0, 1])
    for name in ("softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"):
        assert torch.autograd.gradcheck(getattr(sj, name), (tied,))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_function_transforms(torch):
    func = torch.func
    x = torch.tensor([0.3, -1.0, 2.0, 0.0], dtype=torch.float64)
    for jacobian in (func.jacrev, func.jacfwd):
        torch.testing.assert_close(jacobian(sj.softmax)(x), sj.softmax_jacobian(x))
    torch.testing.assert_close(func.hessian(sj.logsumexp)(x), sj.softmax_jacobian(x))
    rows, others = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for function in FUNCTIONS.values():
        operands = [rows.abs() if function.takes_probs else rows, *[others.abs()] * function.tangents]
        mapped = func.vmap(lambda *x, function=function: function(sj, *x))(*operands)
        torch.testing.assert_close(mapped, function(sj, *operands))
    masked = func.vmap(lambda z, part: sj.softmax(z, where=part))(rows, others > 0)
    torch.testing.assert_close(masked, sj.softmax(rows, where=others > 0))
    torch.testing.assert_close(func.vmap(func.jacrev(sj.softmax))(rows), sj.softmax_jacobian(rows))


def test_torch_leaves_other_state_alone(torch):
    z = torch.tensor([1.0, 2.0], requires_grad=True)
    assert sj.softmax(z).requires_grad
    assert not sj.softmax(z.detach()).requires_grad
    with torch.no_grad():
        assert not sj.softmax(z).requires_grad
    assert z.grad is None
    parameter = torch.nn.Parameter(torch.zeros(3))
    sj.logsumexp(parameter).backward()
    torch.testing.assert_close(parameter.grad, torch.full((3,), 1 / 3))


def test_torch_refuses_what_it_cannot(torch):
    for dtype in (torch.complex64, torch.float8_e4m3fn):
        with pytest.raises(sj.DTypeError, match="logits has dtype torch"):
            sj.softmax(torch.zeros(2, dtype=dtype))
    with pytest.raises(sj.DTypeError, match=r"logits has layout torch\.sparse_coo: pass its to_dense\(\)"):
        sj.softmax(torch.zeros(2, 2).to_sparse())


# ---------------------------------------------------------------------------------------------------------------- JAX


@pytest.fixture
def jax():
    return Jax().jax


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement"])
def test_jax_gradients_are_the_closed_forms(name, jax):
    z, part = jax.numpy.asarray(LOGITS, "float32"), jax.numpy.asarray(PART, bool)
    g = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    gradient = jax.jit(lambda z: jax.vjp(lambda z: getattr(sj, name)(z, where=part), z)[1](g)[0])(z)
    closed = {"softmax": sj.softmax_vjp, "log_softmax": sj.log_softmax_vjp, "softmax_complement": sj.softmax_vjp}[name]
    expected = closed(LOGITS, g, where=np.array(PART, bool)) * (-1 if name == "softmax_complement" else 1)
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-6)


def test_jax_gradient_of_logsumexp_is_softmax(jax):
    z, part = jax.numpy.asarray(LOGITS, "float32"), jax.numpy.asarray(PART, bool)
    gradient = jax.grad(lambda z: jax.numpy.sum(jax.numpy.nan_to_num(sj.logsumexp(z, where=part), neginf=0, posinf=0)))(
        z
    )
    finite = np.isfinite(sj.logsumexp(LOGITS, where=np.array(PART, bool)))
    np.testing.assert_allclose(
        gradient[finite], sj.softmax(LOGITS, where=np.array(PART, bool))[finite], rtol=1e-5, atol=1e-7
    )
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_jax_transforms(name, jax):
    """jit, vmap and grad of everything, compiled: nothing looks at a value."""
    function = FUNCTIONS[name]
    operands = operands_like(function, np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32))
    operands = [jax.numpy.asarray(np.abs(x) if function.keyword and i else x) for i, x in enumerate(operands)]

    def call(*x):
        return function(sj, *x)

    expected = function(sj, *map(np.asarray, operands))
    np.testing.assert_allclose(jax.jit(call)(*operands), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(call))(*operands), expected, rtol=1e-4, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda *x: call(*x).sum(), argnums=tuple(range(len(operands)))))(*operands)
    assert all(np.isfinite(x).all() for x in gradient)


def test_jax_higher_derivatives(jax):
    x = np.float32([0.3, -1.0, 2.0, 0.0])
    J = sj.softmax_jacobian(x)
    for derivative in (jax.jacrev(sj.softmax), jax.jacfwd(sj.softmax), jax.hessian(sj.logsumexp)):
        np.testing.assert_allclose(jax.jit(derivative)(x), J, atol=1e-6)
    third = jax.jit(jax.jacfwd(jax.jacrev(sj.softmax)))(x)
    u, v = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    contracted = np.einsum("ijk,j,k->i", third, u, v)
    np.testing.assert_allclose(sj.softmax_second_derivative(x, u, v), contracted, atol=1e-6)


def test_jax_with_64_bits(jax):
    """In x64 mode float64 is there, and float32 is computed in it."""
    with jax.enable_x64(True):
        z = np.random.default_rng(0).standard_normal((3, 50)) * 10
        softmax = jax.jit(sj.softmax)
        result = softmax(jax.numpy.asarray(z))
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, sj.softmax(z), rtol=1e-14)
        narrow = jax.numpy.asarray(z.astype(np.float32))
        np.testing.assert_array_equal(np.asarray(softmax(narrow)), sj.softmax(z.astype(np.float32)))
        assert softmax(jax.numpy.asarray([1, 2])).dtype == np.float64


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_float32_in_torch_is_as_good_as_numpy(name):
    """Computed in float64 and rounded once."""
    torch = peer("torch", "peers")
    z = (np.random.default_rng(0).standard_normal((20, 100)) * 10).astype(np.float32)
    np.testing.assert_allclose(getattr(sj, name)(torch.as_tensor(z)).numpy(), getattr(sj, name)(z), rtol=1.2e-7)
