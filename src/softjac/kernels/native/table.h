// The kernels of some types as a table, for kernels.cpp and narrow_kernels.cpp. Both are compiled once for each
// instruction set: SOFTJAC_ISA_NAME names the tables, SOFTJAC_SIMD_* the registers.
#pragma once

#include "jacobian.h"
#include "weighted.h"

#define SOFTJAC_JOIN_(a, b) a##b
#define SOFTJAC_JOIN(a, b) SOFTJAC_JOIN_(a, b)
#define SOFTJAC_TEXT_(a) #a
#define SOFTJAC_TEXT(a) SOFTJAC_TEXT_(a)

namespace {

using softjac::KernelTable;
using softjac::Type;

// The driver that serves an op on rows of X, handed to `use` as a type.
template <class D> struct Use {
    using type = D;
};
template <class X, class F> auto with_driver(Op op, const F& f) {
    switch (op) {
        case Op::softmax: return f(Use<Driver<Softmax, X, Op::softmax>>{});
        case Op::softmax_complement: return f(Use<Driver<Complement, X, Op::softmax_complement>>{});
        case Op::log_softmax: return f(Use<Driver<LogSoftmax, X, Op::log_softmax>>{});
        case Op::logsumexp: return f(Use<Driver<LogSumExp, X, Op::logsumexp>>{});
        case Op::softmax_jvp: return f(Use<Driver<Jvp, X, Op::softmax_jvp>>{});
        case Op::log_softmax_jvp: return f(Use<Driver<LogJvp, X, Op::log_softmax_jvp>>{});
        case Op::log_softmax_vjp: return f(Use<Driver<LogVjp, X, Op::log_softmax_vjp>>{});
        case Op::softmax_second_derivative:
            return f(Use<Driver<SecondDerivative, X, Op::softmax_second_derivative>>{});
        case Op::softmax_vjp_probs: return f(Use<Driver<VjpFromProbs, X, Op::softmax_vjp_probs>>{});
        case Op::log_softmax_vjp_probs: return f(Use<Driver<LogVjpFromProbs, X, Op::log_softmax_vjp_probs>>{});
        case Op::cross_entropy: return f(Use<Driver<LabelLoss, X, Op::cross_entropy>>{});
        case Op::cross_entropy_targets: return f(Use<Driver<TargetLoss, X, Op::cross_entropy_targets>>{});
        case Op::cross_entropy_hvp: return f(Use<Driver<HessianProduct, X, Op::cross_entropy_hvp>>{});
        default: return f(Use<WeightedDriver<X>>{});
    }
}

// What a table holds, of the types that `Types::with` hands on.
template <class Types> struct KernelsOf {
    static std::size_t scratch_bytes(const Job& job) {
        return Types::with(job.type, [&](auto x) {
            using X = decltype(x);
            if (job.op == Op::softmax_jacobian) return JacobianDriver<X>::scratch_bytes(job);
            return with_driver<X>(job.op, [&](auto use) {
                return static_cast<std::size_t>(decltype(use)::type::scratch_bytes(job));
            });
        });
    }

    static void rows(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last, char* scratch) {
        Types::with(job.type, [&](auto x) {
            with_driver<decltype(x)>(job.op, [&](auto use) { decltype(use)::type::rows(job, first, last, scratch); });
        });
    }

    static void jacobian(const Job& job, std::ptrdiff_t row, std::ptrdiff_t i_first, std::ptrdiff_t i_last, bool fresh,
                         char* scratch) {
        Types::with(job.type, [&](auto x) {
            JacobianDriver<decltype(x)>::run(job, row, i_first, i_last, fresh, scratch);
        });
    }
};

}  // namespace
