#define NO_IMPORT_ARRAY
#include "operator_module.h"

#include "operator_job.h"

namespace softjac {
namespace {

struct Named {
    const char* name;
    OperatorOp operation;
    bool takes_vector, gives_vector;
};
constexpr Named kOperations[] = {
    {"product", OperatorOp::product, true, true},
    {"quad", OperatorOp::quad, true, false},
    {"solve", OperatorOp::solve, true, true},
    {"sqrt_product", OperatorOp::sqrt_product, true, true},
    {"sqrt_transposed", OperatorOp::sqrt_transposed, true, true},
    {"diagonal", OperatorOp::diagonal, false, true},
    {"trace", OperatorOp::trace, false, false},
    {"norm", OperatorOp::norm, false, false},
};
constexpr Named kTriangular[] = {
    {"cholesky_product", OperatorOp::cholesky_product, true, true},
    {"cholesky_transposed", OperatorOp::cholesky_transposed, true, true},
    {"cholesky_solve", OperatorOp::cholesky_solve, true, true},
    {"cholesky_solve_transposed", OperatorOp::cholesky_solve_transposed, true, true},
};

template <std::size_t kCount> const Named* find(const Named (&all)[kCount], PyObject* name) {
    for (const Named& each : all)
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, each.name) == 0) return &each;
    PyErr_Format(PyExc_ValueError, "the operator has no operation %R", name);
    return nullptr;
}

// Rows of doubles whose elements stand side by side.
PyArrayObject* rows_of_doubles(PyObject* object) {
    if (!PyArray_CheckExact(object)) return nullptr;
    auto* const array = reinterpret_cast<PyArrayObject*>(object);
    const int dims = PyArray_NDIM(array);
    if (PyArray_TYPE(array) != NPY_DOUBLE || !PyArray_ISBEHAVED_RO(array) || dims < 1) return nullptr;
    const npy_intp n = PyArray_DIM(array, dims - 1);
    return n > 0 && (n == 1 || PyArray_STRIDE(array, dims - 1) == sizeof(double)) ? array : nullptr;
}

// How an array steps along the batch. Its last `core` axes are not of the batch.
bool set_operand(const OperatorJob& job, Operand& operand, PyArrayObject* array, int core) {
    const int dims = PyArray_NDIM(array) - core, missing = job.dims - dims;
    operand.data = PyArray_BYTES(array);
    operand.core = 0;
    for (int d = 0; d < missing; ++d) operand.batch[d] = 0;
    for (int d = 0; d < dims; ++d) {
        const npy_intp length = PyArray_DIM(array, d);
        if (missing + d < 0 ? length != 1 : length != 1 && length != job.shape[missing + d]) return false;
        if (missing + d >= 0) operand.batch[missing + d] = length == 1 ? 0 : PyArray_STRIDE(array, d);
    }
    return true;
}

// One number a row, of a type of 64 bits.
bool set_numbers(const OperatorJob& job, Operand& operand, PyObject* object, int type) {
    if (!PyArray_CheckExact(object)) return false;
    auto* const array = reinterpret_cast<PyArrayObject*>(object);
    return PyArray_TYPE(array) == type && PyArray_ISBEHAVED_RO(array) && set_operand(job, operand, array, 0);
}

// The batch that p and x (which may be null) broadcast to.
bool set_batch(OperatorJob& job, PyArrayObject* p, PyArrayObject* x) {
    const int p_dims = PyArray_NDIM(p) - 1, x_dims = x ? PyArray_NDIM(x) - 1 : 0;
    job.dims = std::max(p_dims, x_dims);
    if (job.dims > kMaxDims - 2) return false;
    job.rows = 1;
    for (int d = 0; d < job.dims; ++d) {
        const int in_p = d - (job.dims - p_dims), in_x = d - (job.dims - x_dims);
        const npy_intp of_p = in_p < 0 ? 1 : PyArray_DIM(p, in_p), of_x = in_x < 0 ? 1 : PyArray_DIM(x, in_x);
        if (of_p != of_x && of_p != 1 && of_x != 1) return false;
        job.rows *= job.shape[d] = of_p == 1 ? of_x : of_p;
    }
    return true;
}

Outcome execute(OperatorJob& job, const KernelTable& kernels, int threads, bool (*interrupted)()) {
    job.op = Op::operator_rows;
    job.type = Type::f64;
    job.mask.data = nullptr;
    job.given_bytes = 0;
    if (job.dims == 0) {  // one row
        job.shape[0] = job.dims = 1;
        for (Operand* operand : {&job.in[0], &job.in[1], &job.out, &job.k, &job.q_k, &job.size, &job.weight, &job.damping,
                                 &job.pivot, &job.c, &job.G})
            operand->batch[0] = 0;
    }
    if (work(job) < kSmallWork) return run(job, kernels, 1, interrupted);
    PyThreadState* const state = PyEval_SaveThread();
    const Outcome outcome = run(job, kernels, threads, interrupted);
    PyEval_RestoreThread(state);
    return outcome;
}

PyArrayObject* new_array(const OperatorJob& job, int dims, npy_intp n, int type) {
    npy_intp shape[kMaxDims];
    for (int d = 0; d < dims; ++d) shape[d] = job.shape[d];
    if (n >= 0) shape[dims++] = n;
    return reinterpret_cast<PyArrayObject*>(PyArray_EMPTY(dims, shape, type, 0));
}

bool done(OperatorJob& job, const KernelTable& kernels, int threads, bool (*interrupted)()) {
    const Outcome outcome = job.rows ? execute(job, kernels, threads, interrupted) : Outcome::done;
    if (outcome == Outcome::no_memory) PyErr_NoMemory();
    return outcome == Outcome::done;
}

// The result of a job whose operands are set: by itself, or with the rows that are odd.
PyObject* result_of(OperatorJob& job, bool is_vector, const KernelTable& kernels, int threads, bool (*interrupted)()) {
    PyArrayObject* const result = new_array(job, job.dims, is_vector ? job.n : -1, NPY_DOUBLE);
    PyArrayObject* const notes = new_array(job, job.dims, -1, NPY_BOOL);
    PyObject* answer = nullptr;
    if (result && notes) {
        set_operand(job, job.out, result, is_vector ? 1 : 0);
        job.notes = reinterpret_cast<unsigned char*>(PyArray_BYTES(notes));
        if (done(job, kernels, threads, interrupted)) {
            const bool odd = std::memchr(job.notes, kOdd, static_cast<std::size_t>(job.rows)) != nullptr;
            answer = odd ? PyTuple_Pack(2, result, notes) : Py_NewRef(result);
        }
    }
    Py_XDECREF(result);
    Py_XDECREF(notes);
    return answer;
}

}  // namespace

PyObject* operator_state(PyObject* object, const KernelTable& kernels, int threads, bool (*interrupted)()) {
    PyArrayObject* const p = rows_of_doubles(object);
    OperatorJob job;
    if (!p || !set_batch(job, p, nullptr)) return not_implemented();
    job.operation = OperatorOp::state;
    job.inputs = 1;
    job.n = PyArray_DIM(p, PyArray_NDIM(p) - 1);
    PyArrayObject* results[] = {new_array(job, job.dims, -1, NPY_INT64), new_array(job, job.dims, -1, NPY_DOUBLE),
                                new_array(job, job.dims, -1, NPY_INT64), new_array(job, job.dims, -1, NPY_UINT8)};
    PyObject* tuple = nullptr;
    if (results[0] && results[1] && results[2] && results[3]) {
        set_operand(job, job.in[0], p, 1);
        set_operand(job, job.k, results[0], 0);
        set_operand(job, job.q_k, results[1], 0);
        set_operand(job, job.size, results[2], 0);
        job.notes = reinterpret_cast<unsigned char*>(PyArray_BYTES(results[3]));
        if (done(job, kernels, threads, interrupted))
            tuple = PyTuple_Pack(4, results[0], results[1], results[2], results[3]);
    }
    for (PyArrayObject* result : results) Py_XDECREF(result);
    return tuple;
}

PyObject* operator_rows(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                        bool (*interrupted)()) {
    if (count != 8) {
        PyErr_Format(PyExc_TypeError, "operator_rows takes 8 arguments, got %zd", count);
        return nullptr;
    }
    const Named* const named = find(kOperations, args[0]);
    if (!named) return nullptr;
    PyArrayObject* const p = rows_of_doubles(args[1]);
    PyArrayObject* const x = named->takes_vector ? rows_of_doubles(args[7]) : nullptr;
    OperatorJob job;
    if (!p || (named->takes_vector && !x) || !set_batch(job, p, x)) return not_implemented();
    job.operation = named->operation;
    job.inputs = x ? 2 : 1;
    job.n = PyArray_DIM(p, PyArray_NDIM(p) - 1);
    if (x && PyArray_DIM(x, PyArray_NDIM(x) - 1) != job.n) return not_implemented();
    if (!set_numbers(job, job.k, args[2], NPY_INT64) || !set_numbers(job, job.q_k, args[3], NPY_DOUBLE) ||
        !set_numbers(job, job.size, args[4], NPY_INT64) || !set_numbers(job, job.weight, args[5], NPY_DOUBLE) ||
        !set_numbers(job, job.damping, args[6], NPY_DOUBLE))
        return not_implemented();
    set_operand(job, job.in[0], p, 1);
    if (x) set_operand(job, job.in[1], x, 1);
    return result_of(job, named->gives_vector, kernels, threads, interrupted);
}

PyObject* operator_cholesky(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                            bool (*interrupted)()) {
    if (count != 3) {
        PyErr_Format(PyExc_TypeError, "operator_cholesky takes 3 arguments, got %zd", count);
        return nullptr;
    }
    PyArrayObject* const p = rows_of_doubles(args[0]);
    OperatorJob job;
    if (!p || !set_batch(job, p, nullptr)) return not_implemented();
    job.operation = OperatorOp::cholesky_factor;
    job.inputs = 1;
    job.n = PyArray_DIM(p, PyArray_NDIM(p) - 1);
    if (!set_numbers(job, job.weight, args[1], NPY_DOUBLE) || !set_numbers(job, job.damping, args[2], NPY_DOUBLE))
        return not_implemented();
    set_operand(job, job.in[0], p, 1);
    PyArrayObject* results[] = {new_array(job, job.dims, job.n, NPY_DOUBLE), new_array(job, job.dims, job.n, NPY_DOUBLE),
                                new_array(job, job.dims, job.n + 1, NPY_DOUBLE), new_array(job, job.dims, -1, NPY_BOOL)};
    PyObject* tuple = nullptr;
    if (results[0] && results[1] && results[2] && results[3]) {
        set_operand(job, job.pivot, results[0], 1);
        set_operand(job, job.c, results[1], 1);
        set_operand(job, job.G, results[2], 1);
        job.notes = reinterpret_cast<unsigned char*>(PyArray_BYTES(results[3]));
        if (done(job, kernels, threads, interrupted))
            tuple = PyTuple_Pack(4, results[0], results[1], results[2], results[3]);
    }
    for (PyArrayObject* result : results) Py_XDECREF(result);
    return tuple;
}

PyObject* operator_triangular(PyObject* const* args, Py_ssize_t count, const KernelTable& kernels, int threads,
                              bool (*interrupted)()) {
    if (count != 8) {
        PyErr_Format(PyExc_TypeError, "operator_triangular takes 8 arguments, got %zd", count);
        return nullptr;
    }
    const Named* const named = find(kTriangular, args[0]);
    if (!named) return nullptr;
    PyArrayObject* rows[5];  // p, pivot, c, G, x
    for (int i = 0; i < 5; ++i)
        if (!(rows[i] = rows_of_doubles(args[i < 4 ? 1 + i : 7]))) return not_implemented();
    OperatorJob job;
    if (!set_batch(job, rows[0], rows[4])) return not_implemented();
    job.operation = named->operation;
    job.inputs = 2;
    job.n = PyArray_DIM(rows[0], PyArray_NDIM(rows[0]) - 1);
    Operand* const operands[] = {&job.in[0], &job.pivot, &job.c, &job.G, &job.in[1]};
    for (int i = 0; i < 5; ++i) {
        const npy_intp length = PyArray_DIM(rows[i], PyArray_NDIM(rows[i]) - 1);
        if (length != job.n + (i == 3) || !set_operand(job, *operands[i], rows[i], 1)) return not_implemented();
    }
    if (!set_numbers(job, job.weight, args[5], NPY_DOUBLE) || !set_numbers(job, job.damping, args[6], NPY_DOUBLE))
        return not_implemented();
    return result_of(job, true, kernels, threads, interrupted);
}

}  // namespace softjac
