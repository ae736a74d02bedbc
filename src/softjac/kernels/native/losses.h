// The functions of the compiled core that belong to cross-entropy, as Python calls them.
#pragma once

#include "operands.h"

namespace softjac {

// logits, targets or None, label, mass or None, scale, scale_lo, omega or None, weight or None, where or None, axis,
// label_smoothing, z_loss, loss or None, loss_lo or None, out or None[, True for the bits of bfloat16]
PyObject* cross_entropy(PyObject*, PyObject* const* args, Py_ssize_t count);
// logits, tangent, alpha, beta, where or None, axis, out[, True]
PyObject* cross_entropy_hvp(PyObject*, PyObject* const* args, Py_ssize_t count);
// targets, axis, weight or None, where or None -> label, mass, total, place of the first bad target or -1
PyObject* scan_targets(PyObject*, PyObject* const* args, Py_ssize_t count);
// loss, loss_lo or None -> their sum as hi + lo, to about twice the digits of a double; NotImplemented where it is not
// finite or far above
PyObject* sum_of_losses(PyObject*, PyObject* const* args, Py_ssize_t count);

}  // namespace softjac
