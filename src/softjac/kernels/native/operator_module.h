// The operator's part of softjac.kernels._native.
#pragma once

#include "operands.h"

namespace softjac {

// operator_state(p) -> (k, q_k, size, notes): of each row, shape batch; notes holds the bits of RowNote.
PyObject* operator_state(PyObject* p, const KernelTable& kernels, int threads, bool (*interrupted)());

// operator_rows(operation, p, k, q_k, size, weight, damping, x) -> result, or (result, is_odd).
PyObject* operator_rows(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                        bool (*interrupted)());

// operator_cholesky(p, weight, damping) -> (pivot, c, G, is_odd): rows of softjac/operator/_factors.py.
PyObject* operator_cholesky(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                            bool (*interrupted)());

// operator_triangular(operation, p, pivot, c, G, root, t, x) -> result, or (result, is_odd).
PyObject* operator_triangular(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                              bool (*interrupted)());

}  // namespace softjac
