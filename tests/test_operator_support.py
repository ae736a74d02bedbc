"""What stands off the support (masked out, -inf, an exact 0) is not read, by no method; with damping, by damping."""

import numpy as np
import pytest

from test_operator import INF, NAN

Z = np.array([0.3, -1.0, 0.7, 2.0])
WAYS = {
    "where": lambda sj, z: sj.SoftmaxJacobian(z, where=[True, True, False, True]),
    "-inf": lambda sj, z: sj.SoftmaxJacobian(np.where([0, 0, 1, 0], -INF, z)),
    "an exact 0": lambda sj, _: sj.SoftmaxJacobian.from_probs(np.array([0.2, 0.3, 0.0, 0.5])),
    "a batch": lambda sj, z: sj.SoftmaxJacobian(np.stack([z, z]), where=[True, True, False, True]),
    "longdouble": lambda sj, z: sj.SoftmaxJacobian(z.astype(np.longdouble), where=[True, True, False, True]),
}
METHODS = {
    "J @ x": lambda J, x: J @ x,
    "x @ J": lambda J, x: x @ J,
    "J @ X": lambda J, x: J.matmat(np.stack([x, x], axis=1)),
    "2 J @ x": lambda J, x: (2 * J) @ x,
    "quad": lambda J, x: J.quad(x),
    "sandwich": lambda J, x: J.sandwich(np.stack([x, x[[1, 0, 2, 3]]])),
    "solve": lambda J, x: J.solve(x),
    "pinv": lambda J, x: J.pinv() @ x,
    "F @ x": lambda J, x: J.sqrt_factor() @ x,
    "F.T @ x": lambda J, x: J.sqrt_factor().T @ x,
    "L @ x": lambda J, x: J.cholesky() @ x,
    "L.T @ x": lambda J, x: J.cholesky().T @ x,
    "L solve": lambda J, x: J.cholesky().solve(x),
    "L solve, transposed": lambda J, x: J.cholesky().solve_transposed(x),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e308, 1e3])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", METHODS)
def test_it_is_not_read(name, way, value, sj):
    J = WAYS[way](sj, Z)
    x = np.array([1.0, 2.0, 0.0, -0.5])
    wanted = METHODS[name](J, x)
    x[2] = value
    np.testing.assert_array_equal(METHODS[name](J, x), wanted)
    assert np.isfinite(wanted).all()


def test_damping_reads_it_where_it_stands(sj):
    J = WAYS["where"](sj, Z) + 0.5
    x = np.array([1.0, 2.0, NAN, -0.5])
    for result in (J @ x, J.cholesky() @ x, J.cholesky().T @ x):
        np.testing.assert_array_equal(np.isnan(result), [False, False, True, False])
    with pytest.raises(sj.ArgumentError, match=r"b holds nan at \(2,\)"):
        J.solve(x)
    with pytest.raises(sj.ArgumentError, match=r"b holds nan at \(2,\)"):
        (J * 1.0).cholesky().solve(x)


def test_on_the_support_a_nan_counts(sj):
    J = WAYS["where"](sj, Z)
    for at in (0, 1, 3):
        x = np.ones(4)
        x[at] = NAN
        assert np.isnan((J @ x)[[0, 1, 3]]).all()
        assert np.isnan(J.quad(x))
        with pytest.raises(sj.ArgumentError, match=rf"b holds nan at \({at},\)"):
            J.solve(x)
        with pytest.raises(sj.ArgumentError, match=rf"x holds nan at \({at},\)"):
            J.pinv() @ x
