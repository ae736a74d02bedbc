// Rows of an operator's job, one after the other. Compiled once for each instruction set, as kernels.cpp is.

#include "operator_cholesky.h"
#include "operator_norm.h"

namespace {

class OperatorDriver {
  public:
    static void rows(const softjac::OperatorJob& job, std::ptrdiff_t first, std::ptrdiff_t last) {
        for (std::ptrdiff_t row = first; row < last; ++row) job.notes[row] = one_row(job, row);
    }

  private:
    template <class T> static T& of(const softjac::OperatorJob& job, const softjac::Operand& operand, std::ptrdiff_t row) {
        return *reinterpret_cast<T*>(operand.data + softjac::row_offset(job, operand, row));
    }

    static unsigned char one_row(const softjac::OperatorJob& job, std::ptrdiff_t row) {
        using softjac::OperatorOp;
        OperatorRow r;
        r.n = job.n;
        r.p = {&of<const double>(job, job.in[0], row), kLanes};
        if (job.operation == OperatorOp::state) {
            const RowState state = row_state(r.n, r.p);
            of<std::int64_t>(job, job.k, row) = state.k;
            of<double>(job, job.q_k, row) = state.q_k;
            of<std::int64_t>(job, job.size, row) = state.size;
            return static_cast<unsigned char>((state.q_k < kTooLarge ? softjac::kOrdinary : softjac::kOdd) |
                                              (state.subnormal ? softjac::kSubnormal : softjac::kOrdinary));
        }
        if (job.operation == OperatorOp::cholesky_factor) return noted(factor(job, row, r.p));
        if (job.operation > OperatorOp::cholesky_factor) return noted(triangular(job, row, r.p));
        r.x = job.inputs > 1 ? View<const double>{&of<const double>(job, job.in[1], row), kLanes} : r.p;
        double* const result = &of<double>(job, job.out, row);
        r.out = {result, kLanes};
        r.k = of<const std::int64_t>(job, job.k, row);
        r.size = of<const std::int64_t>(job, job.size, row);
        r.q_k = of<const double>(job, job.q_k, row);
        r.weight = of<const double>(job, job.weight, row);
        r.damping = of<const double>(job, job.damping, row);
        return noted(compute(job.operation, r, *result));
    }
    static unsigned char noted(bool ordinary) { return ordinary ? softjac::kOrdinary : softjac::kOdd; }

    static bool factor(const softjac::OperatorJob& job, std::ptrdiff_t row, View<const double> p) {
        return cholesky_factor(job.n, p, of<const double>(job, job.weight, row), of<const double>(job, job.damping, row),
                               &of<double>(job, job.G, row), {&of<double>(job, job.pivot, row), kLanes},
                               {&of<double>(job, job.c, row), kLanes});
    }
    static bool triangular(const softjac::OperatorJob& job, std::ptrdiff_t row, View<const double> p) {
        using softjac::OperatorOp;
        CholeskyRow r;
        r.n = job.n;
        r.p = p;
        r.x = {&of<const double>(job, job.in[1], row), kLanes};
        r.c = {&of<const double>(job, job.c, row), kLanes};
        r.pivot = {&of<const double>(job, job.pivot, row), kLanes};
        r.G = {&of<const double>(job, job.G, row), kLanes};
        r.out = {&of<double>(job, job.out, row), kLanes};
        r.root = of<const double>(job, job.weight, row);
        r.t = of<const double>(job, job.damping, row);
        switch (job.operation) {
            case OperatorOp::cholesky_product: return cholesky_product(r);
            case OperatorOp::cholesky_transposed: return cholesky_transposed(r);
            case OperatorOp::cholesky_solve: return cholesky_solve(r);
            default: return cholesky_solve_transposed(r);
        }
    }

    static bool compute(softjac::OperatorOp operation, const OperatorRow& r, double& number) {
        using softjac::OperatorOp;
        switch (operation) {
            case OperatorOp::product: return product(r);
            case OperatorOp::quad: return quad(r, number);
            case OperatorOp::solve: return solve(r);
            case OperatorOp::sqrt_product: return sqrt_product(r);
            case OperatorOp::sqrt_transposed: return sqrt_transposed(r);
            case OperatorOp::trace: return trace(r, number);
            case OperatorOp::diagonal: return diagonal(r);
            default: return largest_eigenvalue(r, number);
        }
    }
};

}  // namespace

#define SOFTJAC_JOIN_(a, b) a##b
#define SOFTJAC_JOIN(a, b) SOFTJAC_JOIN_(a, b)

namespace softjac {
void SOFTJAC_JOIN(operator_rows_, SOFTJAC_ISA_NAME)(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last);
void SOFTJAC_JOIN(operator_rows_, SOFTJAC_ISA_NAME)(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last) {
    OperatorDriver::rows(static_cast<const OperatorJob&>(job), first, last);
}
}  // namespace softjac
