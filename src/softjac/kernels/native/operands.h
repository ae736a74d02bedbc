// NumPy's arrays as the operands of a job.
#pragma once

#define PY_SSIZE_T_CLEAN
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL softjac_array_api
#include <Python.h>

#include <numpy/arrayobject.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "schedule.h"

namespace softjac {

constexpr int kMostOperands = 12;

// Runs a job on the chosen kernels and threads, without the interpreter's lock where it is large.
Outcome run_job(const Job& job);

inline bool interrupted_by_signal() {
    const PyGILState_STATE state = PyGILState_Ensure();
    const bool interrupted = PyErr_CheckSignals() != 0;
    PyGILState_Release(state);
    return interrupted;
}

inline bool type_of(PyArrayObject* array, Type& type) {
    switch (PyArray_TYPE(array)) {
        case NPY_HALF: type = Type::f16; return true;
        case NPY_UINT16: type = Type::bf16; return true;
        case NPY_FLOAT: type = Type::f32; return true;
        case NPY_DOUBLE: type = Type::f64; return true;
        default: return false;
    }
}

inline bool plain(PyObject* object) {
    return PyArray_CheckExact(object) && PyArray_ISBEHAVED_RO(reinterpret_cast<PyArrayObject*>(object));
}

// The bytes that an array may touch.
inline void extent(PyArrayObject* array, const char*& low, const char*& high) {
    low = high = PyArray_BYTES(array);
    high += PyArray_ITEMSIZE(array);
    for (int d = 0; d < PyArray_NDIM(array); ++d) {
        const npy_intp reach = (PyArray_DIM(array, d) - 1) * PyArray_STRIDE(array, d);
        (reach < 0 ? low : high) += reach;
    }
}

inline bool overlap(PyArrayObject* a, PyArrayObject* b) {
    if (PyArray_SIZE(a) == 0 || PyArray_SIZE(b) == 0) return false;
    const char *a_low, *a_high, *b_low, *b_high;
    extent(a, a_low, a_high);
    extent(b, b_low, b_high);
    return a_low < b_high && b_low < a_high;
}

inline bool same_shape(PyArrayObject* a, PyArrayObject* b) {
    return PyArray_NDIM(a) == PyArray_NDIM(b) &&
           std::equal(PyArray_DIMS(a), PyArray_DIMS(a) + PyArray_NDIM(a), PyArray_DIMS(b));
}

inline bool same_memory(PyArrayObject* a, PyArrayObject* b) {
    return PyArray_DATA(a) == PyArray_DATA(b) && same_shape(a, b) &&
           std::equal(PyArray_STRIDES(a), PyArray_STRIDES(a) + PyArray_NDIM(a), PyArray_STRIDES(b));
}

// Strides of the batch: sorted so that the smallest comes last, dimensions that run on merged into one.
inline void set_batch(Job& job, int dims, const npy_intp* shape, Operand* const* operands, int count) {
    int order[kMaxDims], used = 0;
    for (int d = 0; d < dims; ++d) {
        if (shape[d] == 1) continue;
        int at = used++;
        const auto size = [&](int k) { return std::llabs(static_cast<long long>(operands[0]->batch[k])); };
        for (; at > 0 && size(order[at - 1]) < size(d); --at) order[at] = order[at - 1];
        order[at] = d;
    }
    std::ptrdiff_t strides[kMostOperands][kMaxDims];
    int merged = 0;
    for (int k = 0; k < used; ++k) {
        const int d = order[k];
        bool joins = merged > 0;
        for (int o = 0; o < count && joins; ++o)
            joins = strides[o][merged - 1] == operands[o]->batch[d] * static_cast<std::ptrdiff_t>(shape[d]);
        if (!joins) job.shape[merged++] = 1;
        job.shape[merged - 1] *= shape[d];
        for (int o = 0; o < count; ++o) strides[o][merged - 1] = operands[o]->batch[d];
    }
    if (merged == 0) {
        job.shape[merged++] = 1;
        for (int o = 0; o < count; ++o) strides[o][0] = 0;
    }
    job.dims = merged;
    for (int o = 0; o < count; ++o) std::memcpy(operands[o]->batch, strides[o], sizeof strides[o]);
}

inline void set_operand(Operand& operand, PyArrayObject* array, int axis) {
    operand.data = PyArray_BYTES(array);
    operand.core = PyArray_STRIDE(array, axis);
    int at = 0;
    for (int d = 0; d < PyArray_NDIM(array); ++d)
        if (d != axis) operand.batch[at++] = PyArray_STRIDE(array, d);
}

inline PyObject* not_implemented() { return Py_NewRef(Py_NotImplemented); }

}  // namespace softjac
