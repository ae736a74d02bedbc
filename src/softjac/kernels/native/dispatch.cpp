#include "dispatch.h"

namespace softjac {

extern const KernelTable kernels_scalar;
#if defined(SOFTJAC_HAVE_X86_64_V3)
extern const KernelTable kernels_x86_64_v3;
#endif
#if defined(SOFTJAC_HAVE_X86_64_V4)
extern const KernelTable kernels_x86_64_v4;
#endif
#if defined(SOFTJAC_HAVE_NEON)
extern const KernelTable kernels_neon;
#endif

std::vector<const KernelTable*> available_kernels() {
    std::vector<const KernelTable*> tables = {&kernels_scalar};
#if defined(SOFTJAC_HAVE_X86_64_V3) || defined(SOFTJAC_HAVE_X86_64_V4)
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#endif
#if defined(SOFTJAC_HAVE_X86_64_V3)
    if (v3) tables.push_back(&kernels_x86_64_v3);
#endif
#if defined(SOFTJAC_HAVE_X86_64_V4)
    if (v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        tables.push_back(&kernels_x86_64_v4);
#endif
#if defined(SOFTJAC_HAVE_NEON)
    tables.push_back(&kernels_neon);
#endif
    return tables;
}

std::string isa_name(const KernelTable& table) {
    std::string name = table.name;
    for (char& c : name)
        if (c == '_') c = '-';
    return name;
}

}  // namespace softjac
