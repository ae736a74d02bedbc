// Error-free sums: a value carried as hi + lo. F is F16 or F1.
// Source: Knuth 1969 (two_sum), Dekker 1971 (fast_two_sum).
#pragma once

#include "simd/lanes.h"
namespace {

template <class F> struct Two {
    F hi, lo;
};

// hi + lo = a + b exactly, hi = a + b rounded; not where a + b overflows.
template <class F> SOFTJAC_INLINE Two<F> two_sum(F a, F b) {
    const F s = a + b;
    const F t = s - a;
    return {s, (a - (s - t)) + (b - t)};
}

// The same, for |a| >= |b| or a = 0.
template <class F> SOFTJAC_INLINE Two<F> fast_two_sum(F a, F b) {
    const F s = a + b;
    return {s, b - (s - a)};
}

// hi + lo = a b exactly, where nothing underflows.
template <class F> SOFTJAC_INLINE Two<F> two_product(F a, F b) {
    const F p = a * b;
    return {p, fma(a, b, -p)};
}

// (a + b) to about twice the working precision; lo is not brought below an ulp of hi.
template <class F> SOFTJAC_INLINE Two<F> add(Two<F> a, Two<F> b) {
    const Two<F> s = two_sum(a.hi, b.hi);
    return {s.hi, s.lo + (a.lo + b.lo)};
}

template <class F> SOFTJAC_INLINE F abs(F a) { return bits_and(a, 0x7fffffffffffffffULL); }

// False for infinities and NaN.
template <class F> SOFTJAC_INLINE auto finite(F a) { return lt(abs(a), set1<F>(from_bits(0x7ff0000000000000ULL))); }

}  // namespace
