// softjac.kernels._native: the compiled core as Python sees it. Every function answers NotImplemented where it does not
// serve its arguments as they are; the Python layer then brings them into that form, or reports the mistake.
#include "operands.h"

#include <atomic>
#include <string>

#include "dispatch.h"
#include "losses.h"
#include "operator_module.h"

namespace softjac {
namespace {

const KernelTable* chosen_kernels = nullptr;
std::atomic<int> thread_count{1};

enum class Result { same_shape, one_a_row, matrix };

struct Function {
    const char* name;
    Op op;
    int inputs;
    Result result;
    const char* doc;
};

PyArrayObject* new_result(const Function& f, PyArrayObject* like, int axis) {
    const int dims = PyArray_NDIM(like);
    if (f.result == Result::same_shape && !PyArray_IS_C_CONTIGUOUS(like))
        return reinterpret_cast<PyArrayObject*>(PyArray_NewLikeArray(like, NPY_KEEPORDER, nullptr, 0));
    npy_intp shape[NPY_MAXDIMS + 2];
    int count = 0;
    for (int d = 0; d < dims; ++d)
        if (f.result == Result::same_shape || d != axis) shape[count++] = PyArray_DIM(like, d);
    if (f.result == Result::matrix) {
        if (count + 2 > NPY_MAXDIMS) return nullptr;
        shape[count++] = PyArray_DIM(like, axis);
        shape[count++] = PyArray_DIM(like, axis);
    }
    return reinterpret_cast<PyArrayObject*>(PyArray_EMPTY(count, shape, PyArray_TYPE(like), 0));
}

bool right_shape(const Function& f, PyArrayObject* out, PyArrayObject* like, int axis) {
    if (f.result == Result::same_shape) return same_shape(out, like);
    const int extra = f.result == Result::matrix ? 2 : 0;
    if (PyArray_NDIM(out) != PyArray_NDIM(like) - 1 + extra) return false;
    int at = 0;
    for (int d = 0; d < PyArray_NDIM(like); ++d)
        if (d != axis && PyArray_DIM(out, at++) != PyArray_DIM(like, d)) return false;
    for (; at < PyArray_NDIM(out); ++at)
        if (PyArray_DIM(out, at) != PyArray_DIM(like, axis)) return false;
    return true;
}

Outcome execute(const Function& f, PyArrayObject* const* in, PyArrayObject* mask, PyArrayObject* out, bool out_is_given,
                int axis, Type type) {
    Job job;
    job.op = f.op;
    job.type = type;
    job.inputs = f.inputs;
    job.n = PyArray_DIM(in[0], axis);
    npy_intp shape[kMaxDims];
    int dims = 0;
    job.rows = 1;
    for (int d = 0; d < PyArray_NDIM(in[0]); ++d)
        if (d != axis) job.rows *= shape[dims++] = PyArray_DIM(in[0], d);
    if (job.rows == 0 || PyArray_SIZE(out) == 0) return Outcome::done;
    Operand* operands[kMostOperands];
    int count = 0;
    for (int i = 0; i < f.inputs; ++i) {
        set_operand(job.in[i], in[i], axis);
        operands[count++] = &job.in[i];
    }
    job.out.data = PyArray_BYTES(out);
    job.out.core = job.out_columns = 0;
    if (f.result == Result::same_shape) {
        set_operand(job.out, out, axis);
    } else {
        for (int d = 0; d < dims; ++d) job.out.batch[d] = PyArray_STRIDE(out, d);
        if (f.result == Result::matrix) {
            job.out.core = PyArray_STRIDE(out, dims);
            job.out_columns = PyArray_STRIDE(out, dims + 1);
        }
    }
    operands[count++] = &job.out;
    job.mask.data = nullptr;
    if (mask) {
        set_operand(job.mask, mask, axis);
        operands[count++] = &job.mask;
    }
    set_batch(job, dims, shape, operands, count);
    job.given_bytes = out_is_given ? PyArray_NBYTES(out) : 0;

    return run_job(job);
}

// Arguments: the operands, axis, where, out; and, if they are bfloat16 seen as uint16, True (without it, a uint16 is an
// integer, which the core does not serve).
PyObject* call(const Function& f, PyObject* const* args, Py_ssize_t count) {
    if (count != f.inputs + 3 && count != f.inputs + 4) {
        PyErr_Format(PyExc_TypeError, "%s takes %d or %d arguments, got %zd", f.name, f.inputs + 3, f.inputs + 4, count);
        return nullptr;
    }
    const bool bfloat16 = count == f.inputs + 4 && args[f.inputs + 3] == Py_True;
    PyObject* const axis_object = args[f.inputs];
    PyObject* const mask_object = args[f.inputs + 1];
    PyObject* const out_object = args[f.inputs + 2];
    PyArrayObject* in[kMaxInputs];
    for (int i = 0; i < f.inputs; ++i) {
        if (!plain(args[i])) return not_implemented();
        in[i] = reinterpret_cast<PyArrayObject*>(args[i]);
        if (PyArray_TYPE(in[i]) != PyArray_TYPE(in[0]) || !same_shape(in[i], in[0])) return not_implemented();
    }
    Type type;
    if (!type_of(in[0], type)) return not_implemented();
    if ((type == Type::bf16) != bfloat16) return not_implemented();
    const int dims = PyArray_NDIM(in[0]);
    if (!PyLong_CheckExact(axis_object)) return not_implemented();
    int overflow = 0;
    const long given_axis = PyLong_AsLongAndOverflow(axis_object, &overflow);
    if (overflow || given_axis < -dims || given_axis >= dims) return not_implemented();
    const int axis = static_cast<int>(given_axis < 0 ? given_axis + dims : given_axis);

    if (PyArray_DIM(in[0], axis) == 0) return not_implemented();
    PyArrayObject* mask = nullptr;
    if (mask_object != Py_None) {
        if (!plain(mask_object)) return not_implemented();
        mask = reinterpret_cast<PyArrayObject*>(mask_object);
        if (PyArray_TYPE(mask) != NPY_BOOL || !same_shape(mask, in[0])) return not_implemented();
    }
    PyArrayObject* out;
    if (out_object == Py_None) {
        out = new_result(f, in[0], axis);
        if (!out) return PyErr_Occurred() ? nullptr : not_implemented();
    } else {
        if (!PyArray_CheckExact(out_object)) return not_implemented();
        out = reinterpret_cast<PyArrayObject*>(out_object);
        if (!PyArray_ISBEHAVED(out) || PyArray_TYPE(out) != PyArray_TYPE(in[0]) || !right_shape(f, out, in[0], axis))
            return not_implemented();
        if (mask && overlap(out, mask)) return not_implemented();
        for (int i = 0; i < f.inputs; ++i)
            if (overlap(out, in[i]) && !(f.result == Result::same_shape && same_memory(out, in[i])))
                return not_implemented();
        Py_INCREF(out);
    }
    const Outcome outcome = execute(f, in, mask, out, out_object != Py_None, axis, type);
    if (outcome == Outcome::done) return reinterpret_cast<PyObject*>(out);
    Py_DECREF(out);
    return outcome == Outcome::no_memory ? PyErr_NoMemory() : nullptr;
}

constexpr Function kFunctions[] = {
    {"softmax", Op::softmax, 1, Result::same_shape, "softmax(logits, axis, where, out)"},
    {"log_softmax", Op::log_softmax, 1, Result::same_shape, "log_softmax(logits, axis, where, out)"},
    {"softmax_complement", Op::softmax_complement, 1, Result::same_shape,
     "softmax_complement(logits, axis, where, out)"},
    {"logsumexp", Op::logsumexp, 1, Result::one_a_row, "logsumexp(logits, b, axis, where, out)"},
    {"logsumexp", Op::weighted_logsumexp, 2, Result::one_a_row, "logsumexp(logits, b, axis, where, out)"},
    {"softmax_jacobian", Op::softmax_jacobian, 1, Result::matrix, "softmax_jacobian(logits, axis, where, out)"},
    {"softmax_jvp", Op::softmax_jvp, 2, Result::same_shape, "softmax_jvp(logits, tangent, axis, where, out)"},
    {"log_softmax_jvp", Op::log_softmax_jvp, 2, Result::same_shape,
     "log_softmax_jvp(logits, tangent, axis, where, out)"},
    {"log_softmax_vjp", Op::log_softmax_vjp, 2, Result::same_shape,
     "log_softmax_vjp(logits, cotangent, axis, where, out)"},
    {"softmax_vjp_probs", Op::softmax_vjp_probs, 2, Result::same_shape,
     "softmax_vjp_probs(probs, cotangent, axis, where, out)"},
    {"log_softmax_vjp_probs", Op::log_softmax_vjp_probs, 2, Result::same_shape,
     "log_softmax_vjp_probs(probs, cotangent, axis, where, out)"},
    {"softmax_second_derivative", Op::softmax_second_derivative, 3, Result::same_shape,
     "softmax_second_derivative(logits, u, v, axis, where, out)"},
};

template <int kIndex> PyObject* method(PyObject*, PyObject* const* args, Py_ssize_t count) {
    return call(kFunctions[kIndex], args, count);
}

PyObject* logsumexp(PyObject*, PyObject* const* args, Py_ssize_t count) {
    if (count >= 5 && count <= 6 && args[1] == Py_None) {
        PyObject* const unweighted[] = {args[0], args[2], args[3], args[4], args[count - 1]};
        return call(kFunctions[3], unweighted, count - 1);
    }
    return call(kFunctions[4], args, count);
}

PyObject* set_num_threads(PyObject*, PyObject* number) {
    const long n = PyLong_AsLong(number);
    if (n == -1 && PyErr_Occurred()) return nullptr;
    if (n < 1 || n > kMostThreads) {
        PyErr_Format(PyExc_ValueError, "the number of threads is %ld, expected 1 to %d", n, kMostThreads);
        return nullptr;
    }
    thread_count.store(static_cast<int>(n), std::memory_order_relaxed);
    Py_RETURN_NONE;
}

PyObject* get_num_threads(PyObject*, PyObject*) {
    return PyLong_FromLong(thread_count.load(std::memory_order_relaxed));
}

PyObject* isa(PyObject*, PyObject*) { return PyUnicode_FromString(isa_name(*chosen_kernels).c_str()); }

PyObject* available_isas(PyObject*, PyObject*) {
    const auto tables = available_kernels();
    PyObject* names = PyList_New(static_cast<Py_ssize_t>(tables.size()));
    if (!names) return nullptr;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        PyObject* name = PyUnicode_FromString(isa_name(*tables[i]).c_str());
        if (!name) {
            Py_DECREF(names);
            return nullptr;
        }
        PyList_SET_ITEM(names, static_cast<Py_ssize_t>(i), name);
    }
    return names;
}

PyCFunction function_pointer(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyObject* state_of_rows(PyObject*, PyObject* p) {
    return operator_state(p, *chosen_kernels, thread_count.load(std::memory_order_relaxed), interrupted_by_signal);
}
template <auto kFunction> PyObject* of_operator(PyObject*, PyObject* const* args, Py_ssize_t count) {
    return kFunction(args, count, *chosen_kernels, thread_count.load(std::memory_order_relaxed), interrupted_by_signal);
}

#define SOFTJAC_METHOD(index) \
    {kFunctions[index].name, function_pointer(&method<index>), METH_FASTCALL, kFunctions[index].doc}

PyMethodDef methods[] = {
    SOFTJAC_METHOD(0),
    SOFTJAC_METHOD(1),
    SOFTJAC_METHOD(2),
    {"logsumexp", function_pointer(&logsumexp), METH_FASTCALL,
     kFunctions[3].doc},
    SOFTJAC_METHOD(5),
    SOFTJAC_METHOD(6),
    SOFTJAC_METHOD(7),
    SOFTJAC_METHOD(8),
    SOFTJAC_METHOD(9),
    SOFTJAC_METHOD(10),
    SOFTJAC_METHOD(11),
    {"cross_entropy", function_pointer(&cross_entropy), METH_FASTCALL,
     "cross_entropy(logits, targets, label, mass, scale, scale_lo, omega, weight, where, axis, label_smoothing, z_loss, "
     "loss, loss_lo, out)"},
    {"cross_entropy_hvp", function_pointer(&cross_entropy_hvp), METH_FASTCALL,
     "cross_entropy_hvp(logits, tangent, alpha, beta, where, axis, out)"},
    {"sum_of_losses", function_pointer(&sum_of_losses), METH_FASTCALL, "sum_of_losses(loss, loss_lo)"},
    {"scan_targets", function_pointer(&scan_targets), METH_FASTCALL, "scan_targets(targets, axis, weight, where)"},
    {"operator_state", state_of_rows, METH_O, "operator_state(p)"},
    {"operator_rows", function_pointer(&of_operator<operator_rows>),
     METH_FASTCALL, "operator_rows(operation, p, k, q_k, size, weight, damping, x)"},
    {"operator_cholesky", function_pointer(&of_operator<operator_cholesky>),
     METH_FASTCALL, "operator_cholesky(p, weight, damping)"},
    {"operator_triangular", function_pointer(&of_operator<operator_triangular>),
     METH_FASTCALL, "operator_triangular(operation, p, pivot, c, G, root, t, x)"},
    {"set_num_threads", set_num_threads, METH_O, "set_num_threads(n)"},
    {"get_num_threads", get_num_threads, METH_NOARGS, "get_num_threads()"},
    {"isa", isa, METH_NOARGS, "The instruction set in use."},
    {"available_isas", available_isas, METH_NOARGS, "Those that SOFTJAC_ISA may name here, the fastest last."},
    {nullptr, nullptr, 0, nullptr},
};

// SOFTJAC_ISA picks the kernels; without it, the fastest that this machine runs.
bool choose_kernels() {
    const auto tables = available_kernels();
    const char* wanted = std::getenv("SOFTJAC_ISA");
    if (!wanted || !*wanted) {
        chosen_kernels = tables.back();
        return true;
    }
    std::string names;
    for (const KernelTable* table : tables) {
        if (isa_name(*table) == wanted) {
            chosen_kernels = table;
            return true;
        }
        names += (names.empty() ? "" : ", ") + isa_name(*table);
    }
    PyErr_Format(PyExc_RuntimeError,
                 "SOFTJAC_ISA is '%s', but this build on this machine has: %s. Set it to one of these, or unset it.",
                 wanted, names.c_str());
    return false;
}

int start(PyObject*) {
    if (PyArray_ImportNumPyAPI() < 0) return -1;
    thread_count.store(default_threads(), std::memory_order_relaxed);
    return choose_kernels() ? 0 : -1;
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(&start)},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030d0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The compiled core of softjac.", 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

Outcome run_job(const Job& job) {
    const int threads = thread_count.load(std::memory_order_relaxed);
    if (work(job) < kSmallWork) return run(job, *chosen_kernels, 1, interrupted_by_signal);
    PyThreadState* const state = PyEval_SaveThread();
    const Outcome outcome = run(job, *chosen_kernels, threads, interrupted_by_signal);
    PyEval_RestoreThread(state);
    return outcome;
}

}  // namespace softjac

PyMODINIT_FUNC PyInit__native() { return PyModuleDef_Init(&softjac::definition); }
