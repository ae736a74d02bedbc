// The kernels of an instruction set: those of wide rows, float64, from here; those of narrow rows from
// narrow_kernels.cpp; rows of the operator from operator_kernels.cpp.
#include "table.h"

#define SOFTJAC_NARROW_KERNELS SOFTJAC_JOIN(narrow_kernels_, SOFTJAC_ISA_NAME)
#define SOFTJAC_OPERATOR_ROWS SOFTJAC_JOIN(operator_rows_, SOFTJAC_ISA_NAME)
namespace softjac {
extern const KernelTable SOFTJAC_NARROW_KERNELS;
void SOFTJAC_OPERATOR_ROWS(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last);
}  // namespace softjac

namespace {

struct WideTypes {
    template <class F> static auto with(Type, const F& f) { return f(double{}); }
};
using Kernels = KernelsOf<WideTypes>;

std::size_t scratch_bytes(const Job& job) {
    if (job.op == Op::operator_rows) return 0;
    return job.type == Type::f64 ? Kernels::scratch_bytes(job) : softjac::SOFTJAC_NARROW_KERNELS.scratch_bytes(job);
}

void rows(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last, char* scratch) {
    if (job.op == Op::operator_rows) return softjac::SOFTJAC_OPERATOR_ROWS(job, first, last);
    const auto run = job.type == Type::f64 ? Kernels::rows : softjac::SOFTJAC_NARROW_KERNELS.rows;
    run(job, first, last, scratch);
}

void jacobian(const Job& job, std::ptrdiff_t row, std::ptrdiff_t i_first, std::ptrdiff_t i_last, bool fresh,
              char* scratch) {
    const auto run = job.type == Type::f64 ? Kernels::jacobian : softjac::SOFTJAC_NARROW_KERNELS.jacobian;
    run(job, row, i_first, i_last, fresh, scratch);
}

}  // namespace

namespace softjac {
extern const KernelTable SOFTJAC_JOIN(kernels_, SOFTJAC_ISA_NAME);
const KernelTable SOFTJAC_JOIN(kernels_, SOFTJAC_ISA_NAME) = {SOFTJAC_TEXT(SOFTJAC_ISA_NAME), scratch_bytes, rows,
                                                              jacobian};
}  // namespace softjac
