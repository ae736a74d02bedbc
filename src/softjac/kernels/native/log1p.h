// log(1 + R) in two precisions. F is F16 or F1.
#pragma once

#include "exp.h"

namespace {

// For R > -1 carried as hi + lo. Largest error 2^-56.5 relative, also where R is tiny. 1 + R = 2^e (1 + f) with 1 + f in
// [sqrt(1/2), sqrt(2)], and log(1 + f) = 2 atanh(s), s = f / (2 + f). Where e = 0, f is R itself, so that no digit of a
// small R is lost.
template <class F> SOFTJAC_SHARED Two<F> log1p_wide(Two<F> R) {
    const F one = set1<F>(1.0);
    Two<F> S = two_sum(one, R.hi);
    S = fast_two_sum(S.hi, S.lo + R.lo);
    const F exponent_field = bits_shift_right_52(S.hi);
    F e = bits_or(exponent_field, 0x4330000000000000ULL) - set1<F>(0x1p52 + 1023.0);
    const F mantissa = bits_or(bits_and(S.hi, 0x000fffffffffffffULL), 0x3ff0000000000000ULL);
    const auto upper = lt(set1<F>(kSqrtTwo), mantissa);
    const F f_scaled = select(upper, mantissa * set1<F>(0.5), mantissa) - one;
    e = select(upper, e + one, e);
    // 2^-e as a double: the exponent field of 1.0 less e.
    const F inverse_power = bits_sub_from(0x7fe0000000000000ULL, bits_and(S.hi, 0x7ff0000000000000ULL));
    const F lo_scaled = S.lo * select(upper, inverse_power * set1<F>(0.5), inverse_power);
    const auto unreduced = eq(e, set1<F>(0.0));
    const Two<F> f = fast_two_sum(select(unreduced, R.hi, f_scaled), select(unreduced, R.lo, lo_scaled));
    // s = f / (2 + f) as hi + lo.
    const Two<F> den = two_sum(set1<F>(2.0), f.hi);
    const F den_lo = den.lo + f.lo;
    const F s = f.hi / den.hi;
    const F s_lo = (fnma(s, den.hi, f.hi) + fnma(s, den_lo, f.lo)) / den.hi;
    const F z = s * s;
    F poly = set1<F>(kAtanh[7]);
    for (int i = 6; i >= 0; --i) poly = fma(z, poly, set1<F>(kAtanh[i]));
    const F twice = s + s;
    const F rest = fma(z * s, poly, s_lo + s_lo);
    const Two<F> head = two_sum(e * set1<F>(kLn2Head), twice);
    return fast_two_sum(head.hi, head.lo + fma(e, set1<F>(kLn2Tail), rest));
}

// For R >= 0 of one double, to be rounded to a float: largest error 2^-51 relative, in the same way.
template <class F> SOFTJAC_INLINE F log1p_narrow(F R) {
    const F one = set1<F>(1.0), S = one + R;
    F e = bits_or(bits_shift_right_52(S), 0x4330000000000000ULL) - set1<F>(0x1p52 + 1023.0);
    const F mantissa = bits_or(bits_and(S, 0x000fffffffffffffULL), 0x3ff0000000000000ULL);
    const auto upper = lt(set1<F>(kSqrtTwo), mantissa);
    e = select(upper, e + one, e);
    const F f = select(eq(e, set1<F>(0.0)), R, select(upper, mantissa * set1<F>(0.5), mantissa) - one);
    const F s = f / (set1<F>(2.0) + f);
    const F z = s * s;
    const F rest = z * s * polynomial(kAtanh, z);
    return fma(e, set1<F>(kLn2Head), (s + s) + fma(e, set1<F>(kLn2Tail), rest));
}

}  // namespace
