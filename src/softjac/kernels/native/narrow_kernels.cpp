// The kernels of narrow rows, float16, bfloat16 and float32: a file of their own, since a compiler takes as long for
// them as for float64.
#include "table.h"

namespace {

struct NarrowTypes {
    template <class F> static auto with(Type type, const F& f) {
        switch (type) {
            case Type::f16: return f(Half{});
            case Type::bf16: return f(BFloat{});
            default: return f(float{});
        }
    }
};
using Kernels = KernelsOf<NarrowTypes>;

}  // namespace

namespace softjac {
extern const KernelTable SOFTJAC_JOIN(narrow_kernels_, SOFTJAC_ISA_NAME);
const KernelTable SOFTJAC_JOIN(narrow_kernels_, SOFTJAC_ISA_NAME) = {
    SOFTJAC_TEXT(SOFTJAC_ISA_NAME), Kernels::scratch_bytes, Kernels::rows, Kernels::jacobian};
}  // namespace softjac
