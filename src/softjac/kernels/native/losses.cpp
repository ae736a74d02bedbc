#define NO_IMPORT_ARRAY
#include "losses.h"

#include <cmath>

#include "half.h"

namespace softjac {
namespace {

// Brings arrays into a job. What it does not serve makes `good` false.
class Binder {
  public:
    bool good = true;

    Binder(Op op, int inputs, PyObject* logits, PyObject* axis, bool bfloat16) {
        job_.op = op;
        job_.inputs = inputs;
        good = plain(logits) && PyLong_CheckExact(axis);
        if (!good) return;
        first_ = reinterpret_cast<PyArrayObject*>(logits);
        const int dims = PyArray_NDIM(first_);
        int overflow = 0;
        const long given = PyLong_AsLongAndOverflow(axis, &overflow);
        good = !overflow && given >= -dims && given < dims && type_of(first_, job_.type) &&
               (job_.type == Type::bf16) == bfloat16;
        if (!good) return;
        axis_ = static_cast<int>(given < 0 ? given + dims : given);
        job_.n = PyArray_DIM(first_, axis_);
        good = job_.n > 0;
        job_.rows = 1;
        for (int d = 0; d < dims; ++d)
            if (d != axis_) job_.rows *= shape_[dims_++] = PyArray_DIM(first_, d);
        job_.mask.data = job_.out.data = nullptr;
        job_.out_columns = job_.given_bytes = 0;
        LossTerms& terms = job_.loss;
        for (Operand* operand : {&terms.label, &terms.mass, &terms.scale, &terms.scale_lo, &terms.omega, &terms.targets,
                                 &terms.loss, &terms.loss_lo})
            operand->data = nullptr;
        terms.class_weight = nullptr;
        terms.smoothing = terms.z_loss = 0.0;
        terms.targets_type = Type::f64;
    }

    Job& job() { return job_; }
    std::ptrdiff_t rows() const { return job_.rows; }

    // An operand of the shape of the logits, of `type` or, without one, of theirs.
    void full(Operand& operand, PyObject* object, int type) {
        if (!good || !(good = plain(object))) return;
        auto* const array = reinterpret_cast<PyArrayObject*>(object);
        good = same_shape(array, first_) && PyArray_TYPE(array) == (type < 0 ? PyArray_TYPE(first_) : type);
        if (!good) return;
        set_operand(operand, array, axis_);
        operands_[count_++] = &operand;
    }
    void optional_mask(PyObject* object) {
        if (object != Py_None) full(job_.mask, object, NPY_BOOL);
    }
    // Targets: a distribution a row, of any type that the kernels read.
    void targets(PyObject* object) {
        if (object == Py_None || !good || !(good = plain(object))) return;
        auto* const array = reinterpret_cast<PyArrayObject*>(object);
        good = type_of(array, job_.loss.targets_type) && job_.loss.targets_type != Type::bf16;
        full(job_.loss.targets, object, PyArray_TYPE(array));
    }
    // One number a row: an array of the shape of the batch, or one number for all, kept in `number`.
    void per_row(Operand& operand, PyObject* object, int type, double& number) {
        if (!good) return;
        if (type == NPY_DOUBLE && PyFloat_CheckExact(object)) {
            number = PyFloat_AS_DOUBLE(object);
            operand.data = reinterpret_cast<char*>(&number);
            for (int d = 0; d < dims_; ++d) operand.batch[d] = 0;
        } else {
            if (!(good = plain(object))) return;
            auto* const array = reinterpret_cast<PyArrayObject*>(object);
            good = PyArray_TYPE(array) == type && PyArray_NDIM(array) == dims_ &&
                   std::equal(shape_, shape_ + dims_, PyArray_DIMS(array));
            if (!good) return;
            operand.data = PyArray_BYTES(array);
            for (int d = 0; d < dims_; ++d) operand.batch[d] = PyArray_STRIDE(array, d);
        }
        operand.core = 0;
        operands_[count_++] = &operand;
    }
    void optional_result(Operand& operand, PyObject* object) {
        if (object == Py_None) return;
        double unused;
        good = good && PyArray_CheckExact(object) && PyArray_ISBEHAVED(reinterpret_cast<PyArrayObject*>(object));
        per_row(operand, object, NPY_DOUBLE, unused);
    }
    // The gradient; it may be the memory of the logits or of the second input, but no other that is read.
    void result(PyObject* object, std::initializer_list<PyObject*> read, PyObject* second = nullptr) {
        if (object == Py_None) {
            job_.out.core = static_cast<std::ptrdiff_t>(item_size(job_.type));
            for (int d = 0; d < dims_; ++d) job_.out.batch[d] = 0;
            return;
        }
        if (!good || !(good = PyArray_CheckExact(object))) return;
        auto* const out = reinterpret_cast<PyArrayObject*>(object);
        good = PyArray_ISBEHAVED(out) && PyArray_TYPE(out) == PyArray_TYPE(first_) && same_shape(out, first_);
        if (good && overlap(out, first_)) good = same_memory(out, first_);
        if (good && second && overlap(out, reinterpret_cast<PyArrayObject*>(second)))
            good = same_memory(out, reinterpret_cast<PyArrayObject*>(second));
        for (PyObject* other : read)
            if (good && PyArray_Check(other)) good = !overlap(out, reinterpret_cast<PyArrayObject*>(other));
        if (!good) return;
        set_operand(job_.out, out, axis_);
        operands_[count_++] = &job_.out;
        job_.given_bytes = PyArray_NBYTES(out);
    }

    // True, or nullptr with an error set.
    PyObject* run() {
        if (job_.rows > 0) {
            set_batch(job_, dims_, shape_, operands_, count_);
            const Outcome outcome = run_job(job_);
            if (outcome == Outcome::no_memory) return PyErr_NoMemory();
            if (outcome == Outcome::interrupted) return nullptr;
        }
        return Py_NewRef(Py_True);
    }

  private:
    Job job_;
    PyArrayObject* first_ = nullptr;
    int axis_ = 0, dims_ = 0, count_ = 0;
    npy_intp shape_[kMaxDims];
    Operand* operands_[kMostOperands];
};

bool number_of(PyObject* object, double& x) {
    if (!PyFloat_CheckExact(object)) return false;
    x = PyFloat_AS_DOUBLE(object);
    return true;
}

// Weights of the classes, a line of n doubles.
bool class_weights(PyObject* object, std::ptrdiff_t n, const double*& weights) {
    weights = nullptr;
    if (object == Py_None) return true;
    if (!plain(object)) return false;
    auto* const array = reinterpret_cast<PyArrayObject*>(object);
    if (PyArray_TYPE(array) != NPY_DOUBLE || PyArray_NDIM(array) != 1 || PyArray_DIM(array, 0) != n ||
        !PyArray_IS_C_CONTIGUOUS(array))
        return false;
    weights = static_cast<const double*>(PyArray_DATA(array));
    return true;
}

// Labels are from -2 to n - 1. Whether any row has its own distribution (-1), whether any has a class.
bool labels_are_good(PyObject* object, std::ptrdiff_t n, bool& any_own, bool& any_class) {
    if (!plain(object)) return false;
    auto* const array = reinterpret_cast<PyArrayObject*>(object);
    if (PyArray_TYPE(array) != NPY_INT64 || !PyArray_IS_C_CONTIGUOUS(array)) return false;
    const auto* const label = static_cast<const npy_int64*>(PyArray_DATA(array));
    const npy_intp rows = PyArray_SIZE(array);
    any_own = any_class = false;
    npy_int64 beyond = 0;  // negative if any label is, or is above n - 1: quick to find, for most calls have only classes
    for (npy_intp r = 0; r < rows; ++r) {
        const auto above = static_cast<npy_uint64>(n - 1) - static_cast<npy_uint64>(label[r]);
        beyond |= label[r] | static_cast<npy_int64>(above);
    }
    if (beyond >= 0) return any_class = rows > 0, true;
    npy_int64 least = n, most = -2;
    for (npy_intp r = 0; r < rows; ++r) {
        least = label[r] < least ? label[r] : least;
        most = label[r] > most ? label[r] : most;
        any_own |= label[r] == -1;
    }
    any_class = most >= 0;
    return least >= -2 && most < n;
}

double read(Type type, const char* p) {
    switch (type) {
        case Type::f16: return static_cast<double>(widen(*reinterpret_cast<const Half*>(p)));
        case Type::f32: return static_cast<double>(*reinterpret_cast<const float*>(p));
        default: return *reinterpret_cast<const double*>(p);
    }
}

// One row of targets.
struct Scan {
    npy_int64 label = -1;
    double mass = 0.0, hi = 0.0, lo = 0.0;
    std::ptrdiff_t bad = -1;

    void row(const Job& job, const char* p, const char* mask) {
        std::ptrdiff_t several = 0;
        const double* const weights = job.loss.class_weight;
        for (std::ptrdiff_t j = 0; j < job.n; ++j) {
            const double y = read(job.loss.targets_type, p + j * job.loss.targets.core);
            if (y == 0.0) continue;
            const bool part = !mask || mask[j * job.mask.core];
            if (bad < 0 && (part ? !(y > 0.0 && std::isfinite(y)) : y > 0.0)) bad = j;
            if (!part) continue;
            label = several++ ? -1 : j;
            mass = y;
            if (weights) add(y * weights[j], std::fma(y, weights[j], -(y * weights[j])));
            else add(y, 0.0);
        }
        hi += lo;
        if (several != 1) label = -1, mass = 0.0;
    }
    void add(double term, double rest) {
        const double sum = hi + term, back = sum - hi;
        lo += ((hi - (sum - back)) + (term - back)) + rest;
        hi = sum;
    }
};

// A sum that keeps what its additions lose, in lanes: so many are added up side by side.
// Source: Knuth 1969 (two_sum).
struct LaneSum {
    static constexpr int kLanes = 16;
    double hi[kLanes] = {}, lo[kLanes] = {};

    void add(const double* x) {
        for (int l = 0; l < kLanes; ++l) add(l, x[l], 0.0);
    }
    void add(const double* x, const double* rest) {
        for (int l = 0; l < kLanes; ++l) add(l, x[l], rest[l]);
    }
    void total(double& s, double& rest) {
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int l = 0; l < half; ++l) add(l, hi[l + half], lo[l + half]);
        s = hi[0];
        rest = lo[0];
    }

  private:
    void add(int l, double x, double rest) {
        const double sum = hi[l] + x, back = sum - hi[l];
        lo[l] += ((hi[l] - (sum - back)) + (x - back)) + rest;
        hi[l] = sum;
    }
};

}  // namespace

PyObject* sum_of_losses(PyObject*, PyObject* const* args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "sum_of_losses takes 2 arguments, got %zd", count);
        return nullptr;
    }
    const double* lines[2] = {nullptr, nullptr};
    npy_intp rows = 0;
    for (int i = 0; i < 2; ++i) {
        if (i && args[i] == Py_None) continue;
        if (!plain(args[i])) return not_implemented();
        auto* const array = reinterpret_cast<PyArrayObject*>(args[i]);
        if (PyArray_TYPE(array) != NPY_DOUBLE || !PyArray_IS_C_CONTIGUOUS(array) || (i && PyArray_SIZE(array) != rows))
            return not_implemented();
        rows = PyArray_SIZE(array);
        lines[i] = static_cast<const double*>(PyArray_DATA(array));
    }
    LaneSum sum;
    npy_intp r = 0;
    const npy_intp full = rows / LaneSum::kLanes * LaneSum::kLanes;
    if (lines[1]) for (; r < full; r += LaneSum::kLanes) sum.add(lines[0] + r, lines[1] + r);
    else for (; r < full; r += LaneSum::kLanes) sum.add(lines[0] + r);
    if (r < rows) {
        double x[LaneSum::kLanes] = {}, rest[LaneSum::kLanes] = {};
        std::copy(lines[0] + r, lines[0] + rows, x);
        if (lines[1]) std::copy(lines[1] + r, lines[1] + rows, rest);
        sum.add(x, rest);
    }
    double s, rest;
    sum.total(s, rest);
    constexpr double kFar = 0x1p900;
    if (!(s < kFar) || !std::isfinite(rest)) return not_implemented();
    return Py_BuildValue("dd", s, rest);
}

PyObject* cross_entropy(PyObject*, PyObject* const* args, Py_ssize_t count) {
    enum { kLogits, kTargets, kLabel, kMass, kScale, kScaleLo, kOmega, kWeight, kWhere, kAxis, kSmoothing, kZLoss, kLoss,
           kLossLo, kOut, kBits };
    if (count != kBits && count != kBits + 1) {
        PyErr_Format(PyExc_TypeError, "cross_entropy takes 15 or 16 arguments, got %zd", count);
        return nullptr;
    }
    double smoothing, z_loss;
    if (!number_of(args[kSmoothing], smoothing) || !number_of(args[kZLoss], z_loss)) return not_implemented();
    const bool soft = args[kTargets] != Py_None || smoothing != 0.0 || z_loss != 0.0;
    Binder binder(soft ? Op::cross_entropy_targets : Op::cross_entropy, 1, args[kLogits], args[kAxis],
                  count > kBits && args[kBits] == Py_True);
    if (!binder.good) return not_implemented();
    LossTerms& terms = binder.job().loss;
    bool any_own, any_class;
    if (!labels_are_good(args[kLabel], binder.job().n, any_own, any_class)) return not_implemented();
    if (any_own ? args[kTargets] == Py_None && smoothing == 0.0 && z_loss == 0.0 : false) return not_implemented();
    // A row of one class has the bits of that class alone, whatever stands beside it.
    if (soft && smoothing == 0.0 && z_loss == 0.0 && any_class) return not_implemented();
    if (!class_weights(args[kWeight], binder.job().n, terms.class_weight)) return not_implemented();
    terms.smoothing = smoothing;
    terms.z_loss = z_loss;
    double mass, scale, scale_lo, omega;
    binder.full(binder.job().in[0], args[kLogits], -1);
    binder.targets(args[kTargets]);
    binder.per_row(terms.label, args[kLabel], NPY_INT64, mass);
    if (args[kMass] != Py_None) binder.per_row(terms.mass, args[kMass], NPY_DOUBLE, mass);
    if (args[kOmega] != Py_None) binder.per_row(terms.omega, args[kOmega], NPY_DOUBLE, omega);
    binder.per_row(terms.scale, args[kScale], NPY_DOUBLE, scale);
    binder.per_row(terms.scale_lo, args[kScaleLo], NPY_DOUBLE, scale_lo);
    binder.optional_mask(args[kWhere]);
    binder.optional_result(terms.loss, args[kLoss]);
    binder.optional_result(terms.loss_lo, args[kLossLo]);
    binder.result(args[kOut], {args[kTargets], args[kLabel], args[kMass], args[kScale], args[kScaleLo], args[kOmega],
                               args[kWeight], args[kWhere], args[kLoss], args[kLossLo]});
    return binder.good ? binder.run() : not_implemented();
}

PyObject* cross_entropy_hvp(PyObject*, PyObject* const* args, Py_ssize_t count) {
    enum { kLogits, kTangent, kAlpha, kBeta, kWhere, kAxis, kOut, kBits };
    if (count != kBits && count != kBits + 1) {
        PyErr_Format(PyExc_TypeError, "cross_entropy_hvp takes 7 or 8 arguments, got %zd", count);
        return nullptr;
    }
    Binder binder(Op::cross_entropy_hvp, 2, args[kLogits], args[kAxis], count > kBits && args[kBits] == Py_True);
    if (!binder.good || args[kOut] == Py_None) return not_implemented();
    double alpha, beta = 1.0;
    Job& job = binder.job();
    binder.full(job.in[0], args[kLogits], -1);
    binder.full(job.in[1], args[kTangent], -1);
    binder.per_row(job.loss.scale, args[kAlpha], NPY_DOUBLE, alpha);
    binder.per_row(job.loss.scale_lo, args[kBeta], NPY_DOUBLE, beta);
    binder.optional_mask(args[kWhere]);
    binder.result(args[kOut], {args[kAlpha], args[kBeta], args[kWhere]}, args[kTangent]);
    job.loss.z_loss = PyFloat_CheckExact(args[kBeta]) && beta == 0.0 ? 0.0 : 1.0;  // whether a log-sum-exp is needed
    return binder.good ? binder.run() : not_implemented();
}

PyObject* scan_targets(PyObject*, PyObject* const* args, Py_ssize_t count) {
    if (count != 4) {
        PyErr_Format(PyExc_TypeError, "scan_targets takes 4 arguments, got %zd", count);
        return nullptr;
    }
    Binder binder(Op::cross_entropy_targets, 0, args[0], args[1], false);
    if (!binder.good) return not_implemented();
    Job& job = binder.job();
    if (!class_weights(args[2], job.n, job.loss.class_weight)) return not_implemented();
    auto* const given = reinterpret_cast<PyArrayObject*>(args[0]);
    npy_intp shape[kMaxDims];
    int dims = 0;
    const int axis = static_cast<int>(PyLong_AsLong(args[1]));
    for (int d = 0; d < PyArray_NDIM(given); ++d)
        if (d != (axis < 0 ? axis + PyArray_NDIM(given) : axis)) shape[dims++] = PyArray_DIM(given, d);
    PyObject* const results[] = {PyArray_SimpleNew(dims, shape, NPY_INT64), PyArray_SimpleNew(dims, shape, NPY_DOUBLE),
                                 PyArray_SimpleNew(dims, shape, NPY_DOUBLE)};
    const auto drop = [&] {
        for (PyObject* result : results) Py_XDECREF(result);
    };
    if (!results[0] || !results[1] || !results[2]) return drop(), nullptr;
    binder.targets(args[0]);
    binder.optional_mask(args[3]);
    if (!binder.good) return drop(), not_implemented();
    auto* const label = static_cast<npy_int64*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(results[0])));
    auto* const mass = static_cast<double*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(results[1])));
    auto* const total = static_cast<double*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(results[2])));
    // In C order of the batch, so that the first bad target is the one that a reader finds first.
    job.dims = dims > 0 ? dims : 1;
    if (dims == 0) {
        shape[0] = 1;
        job.loss.targets.batch[0] = job.mask.batch[0] = 0;
    }
    std::copy(shape, shape + job.dims, job.shape);
    std::ptrdiff_t bad = -1;
    PyThreadState* const state = PyEval_SaveThread();
    for (std::ptrdiff_t r = 0; r < job.rows; ++r) {
        Scan scan;
        scan.row(job, job.loss.targets.data + row_offset(job, job.loss.targets, r),
                 job.mask.data ? job.mask.data + row_offset(job, job.mask, r) : nullptr);
        label[r] = scan.label;
        mass[r] = scan.mass;
        total[r] = scan.hi;
        if (bad < 0 && scan.bad >= 0) bad = r * job.n + scan.bad;
    }
    PyEval_RestoreThread(state);
    return Py_BuildValue("NNNn", results[0], results[1], results[2], static_cast<Py_ssize_t>(bad));
}

}  // namespace softjac
