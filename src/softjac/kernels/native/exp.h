// exp of a shifted logit x = z - m <= 0, in two precisions. F is F16 or F1.
// x = k ln(2)/16 + r; 2^(k/16) comes from a table of 16, e^r from a polynomial. A NaN stays one; below the range, -inf
// included, the result is exactly 0. Source: Tang 1989, with the constants of make_constants.py.
#pragma once

#include "constants.h"
#include "twofold.h"

namespace {

constexpr double kRoundingBias = 0x1.8p52;  // adding it leaves the nearest integer in the low bits

template <int kTerms, class F> SOFTJAC_INLINE F polynomial(const double (&c)[kTerms], F r) {
    F value = fma(r, set1<F>(c[kTerms - 1]), set1<F>(c[kTerms - 2]));
#pragma GCC unroll 8
    for (int i = kTerms - 3; i >= 0; --i) value = fma(r, value, set1<F>(c[i]));
    return value;
}

// e^x for x of one double, to be rounded to a float: largest error 2^-36 relative; 0 below x = -700.
template <class F> SOFTJAC_INLINE F exp_short(F x) {
    const auto in_range = not_lt(x, set1<F>(-700.0));
    const F biased = fma(x, set1<F>(kStepsPerUnit), set1<F>(kRoundingBias));
    const F k = biased - set1<F>(kRoundingBias);
    const F r = fnma(k, set1<F>(kStep), x);
    const F growth = fma(r * r, polynomial(kExpShort, r), r);  // e^r - 1
    const F power = add_shifted_48(lookup16(kExpTable, biased), biased);
    return zero_unless(in_range, fma(power, growth, power));
}

// The same, largest error 2^-51: where a sum of such terms may cancel against something else.
template <class F> SOFTJAC_INLINE F exp_narrow(F x) {
    const auto in_range = not_lt(x, set1<F>(-700.0));
    const F biased = fma(x, set1<F>(kStepsPerUnit), set1<F>(kRoundingBias));
    const F k = biased - set1<F>(kRoundingBias);
    const F r = fnma(k, set1<F>(kStepTail), fnma(k, set1<F>(kStepHead), x));
    const F growth = fma(r * r, polynomial(kExpNarrow, r), r);
    const F power = add_shifted_48(lookup16(kExpTable, biased), biased);
    return zero_unless(in_range, fma(power, growth, power));
}

// Wide results are scaled by 2^128, so that all that can become a subnormal probability is still a normal number.
constexpr double kScale = 0x1p128;
constexpr double kUnscale = 0x1p-128;

// 2^128 e^(x.hi + x.lo). Largest error 2^-57.9 relative: 2^-59 from rounding r, 2^-59 from rounding e^r - 1. 0 below
// x = -790.
template <class F> SOFTJAC_INLINE Two<F> exp_wide(Two<F> x) {
    const auto in_range = not_lt(x.hi, set1<F>(-790.0));
    constexpr double kBias = kRoundingBias + 16.0 * 128.0;
    const F biased = fma(x.hi, set1<F>(kStepsPerUnit), set1<F>(kBias));
    const F k = biased - set1<F>(kBias);
    const F r = fnma(k, set1<F>(kStepHead), x.hi) + fnma(k, set1<F>(kStepTail), x.lo);
    const F growth = fma(r * r, polynomial(kExpWide, r), r);  // e^r - 1
    const F tail = lookup16(kExpTableTail, biased);
    const F power = add_shifted_48(lookup16(kExpTable, biased), biased);
    const F hi = fma(power, growth, power);
    const F lo = fma(power, fma(tail, growth, tail), fma(power, growth, power - hi));
    return {zero_unless(in_range, hi), zero_unless(in_range, lo)};
}

}  // namespace
