// What one call computes, on which memory. Shared by all instruction sets; holds no code of theirs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace softjac {

enum class Op {
    softmax,
    log_softmax,
    softmax_complement,
    logsumexp,
    weighted_logsumexp,
    softmax_jvp,
    log_softmax_jvp,
    log_softmax_vjp,
    softmax_second_derivative,
    softmax_vjp_probs,
    log_softmax_vjp_probs,
    softmax_jacobian,
    cross_entropy,          // of one class a row: value and gradient
    cross_entropy_targets,  // of any targets, with smoothing and z-loss: value and gradient
    cross_entropy_hvp,      // product of its Hessian with a vector
    operator_rows,  // operator_job.h
};

enum class Type { f16, bf16, f32, f64 };

constexpr int kMaxDims = 64;
constexpr int kMaxInputs = 3;

// Strides in bytes. `core` steps along the classes, `batch` along the dimensions of the batch.
struct Operand {
    char* data;
    std::ptrdiff_t core;
    std::ptrdiff_t batch[kMaxDims];
};

// What a cross-entropy has beside the logits. Of the operands, those of one number a row have no core.
struct LossTerms {
    Operand label;              // int64: the class of a single target, -1 without one, -2 where the row does not count
    Operand mass;               // double: the target at that class; data is null for 1
    Operand scale, scale_lo;    // double: what the gradient is multiplied by, as hi + lo; of a Hessian see loss_rows.h
    Operand omega;              // double: what the loss is multiplied by; data is null for 1
    Operand targets;            // a distribution a row, of targets_type; data is null where there is none
    Type targets_type;
    const double* class_weight; // n of them, or null for 1
    double smoothing, z_loss;
    Operand loss, loss_lo;      // double: the losses as hi + lo, of narrow rows with lo = 0; data may be null
};

struct Job {
    Op op;
    Type type;
    int inputs;
    std::ptrdiff_t n;
    int dims;  // of the batch, at least 1; merged and sorted so that the last one has the smallest stride
    std::ptrdiff_t shape[kMaxDims];
    std::ptrdiff_t rows;
    Operand in[kMaxInputs];
    Operand mask;                // data is null where there is none
    Operand out;                 // core: along i
    std::ptrdiff_t out_columns;  // of a Jacobian: along j
    // Size of a result in memory that the caller gave; 0 where it is new: then the system has just cleared it, and it is
    // in the caches already.
    std::ptrdiff_t given_bytes;
    LossTerms loss;             // read by the ops of cross-entropy alone; their out.data is null if only losses are wanted
};

// Kernels of one instruction set.
struct KernelTable {
    const char* name;
    std::size_t (*scratch_bytes)(const Job&);
    // Rows first to last - 1 of every op but the Jacobian.
    void (*rows)(const Job&, std::ptrdiff_t first, std::ptrdiff_t last, char* scratch);
    // Rows i_first to i_last - 1 of the Jacobian of one batch row; `fresh` is false where the scratch still holds that row.
    void (*jacobian)(const Job&, std::ptrdiff_t row, std::ptrdiff_t i_first, std::ptrdiff_t i_last, bool fresh,
                     char* scratch);
};

inline std::size_t item_size(Type type) {
    return type == Type::f64 ? 8 : type == Type::f32 ? 4 : 2;
}

// Byte offset of a batch row in an operand.
inline std::ptrdiff_t row_offset(const Job& job, const Operand& operand, std::ptrdiff_t row) {
    std::ptrdiff_t offset = 0;
    for (int d = job.dims - 1; d > 0; --d) {
        offset += (row % job.shape[d]) * operand.batch[d];
        row /= job.shape[d];
    }
    return offset + row * operand.batch[0];
}

}  // namespace softjac
