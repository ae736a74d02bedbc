// exp and log1p of the kernels by themselves: elementary FUNCTION < pairs of doubles (hi, lo) > pairs of doubles.
// The number of pairs is a multiple of 16. exp_wide's results are scaled by 2^128; narrow functions take and give lo = 0.
#include <cstdio>
#include <cstring>
#include <string>

#include "log1p.h"

#include "exp.h"

namespace {

template <class Function> int apply(const Function& function) {
    double pairs[kLanes][2];
    while (std::fread(pairs, sizeof pairs, 1, stdin) == 1) {
        double hi[kLanes], lo[kLanes];
        for (int i = 0; i < kLanes; ++i) hi[i] = pairs[i][0], lo[i] = pairs[i][1];
        const Two<F16> result = function(Two<F16>{loadu<F16>(hi), loadu<F16>(lo)});
        storeu(hi, result.hi);
        storeu(lo, result.lo);
        for (int i = 0; i < kLanes; ++i) pairs[i][0] = hi[i], pairs[i][1] = lo[i];
        if (std::fwrite(pairs, sizeof pairs, 1, stdout) != 1) return 2;
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string function = count == 2 ? arguments[1] : "";
    const F16 zero = set1<F16>(0.0);
    if (function == "exp_short") return apply([&](const Two<F16>& x) { return Two<F16>{exp_short(x.hi), zero}; });
    if (function == "exp_narrow") return apply([&](const Two<F16>& x) { return Two<F16>{exp_narrow(x.hi), zero}; });
    if (function == "exp_wide") return apply([](const Two<F16>& x) { return exp_wide(x); });
    if (function == "log1p_wide") return apply([](const Two<F16>& x) { return log1p_wide(x); });
    if (function == "log1p_narrow") return apply([&](const Two<F16>& x) { return Two<F16>{log1p_narrow(x.hi), zero}; });
    std::fprintf(stderr, "usage: elementary exp_short|exp_narrow|exp_wide|log1p_wide|log1p_narrow < pairs > pairs\n");
    return 2;
}
