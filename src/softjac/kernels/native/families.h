// Two arithmetics behind one set of names. Narrow: float16, bfloat16 and float32 rows, computed in double. Wide: float64
// rows, computed with hi + lo pairs. A kernel is written once, with the names that both have:
//   Shifted   z - m                         Exp    e^(z - m), wide scaled by 2^128
//   Sum<Mode> sums of Exp or Term           Total  a finished sum
//   Prob      p (wide: scaled by 2^128)     rounded(...) brings a value to one double
#pragma once

#include "exp.h"
#include "log1p.h"
#include "sums.h"

namespace {

// Where a kernel keeps the exponentials between its passes: block b at 16 b.
struct Kept {
    double* hi;
    std::uint32_t* lo;  // the upper halves of the low parts: 20 bits of them are enough
};

template <bool kLong> struct NarrowFamily {
    using Shifted = F16;
    using Exp = F16;
    using Total = F16;
    using Prob = F16;
    struct Inverse {
        F16 hi;
    };
    template <class Mode> using Sum = NarrowSum<Mode>;

    static SOFTJAC_INLINE Shifted shifted(const F16& z, const F16& m) { return z - m; }
    static SOFTJAC_INLINE Exp exp(const Shifted& x) { return kLong ? exp_narrow(x) : exp_short(x); }
    static SOFTJAC_INLINE F16 leading(const Exp& e) { return e; }
    static SOFTJAC_INLINE Exp one() { return set1<F16>(1.0); }

    static SOFTJAC_INLINE void keep(Kept k, std::ptrdiff_t b, const Exp& e) { storeu(k.hi + kLanes * b, e); }
    static SOFTJAC_INLINE Exp kept(Kept k, std::ptrdiff_t b) { return loadu<F16>(k.hi + kLanes * b); }

    template <class Mode, class Block>
    static SOFTJAC_INLINE Exp without_peak(const Peak<Mode>& peak, Block at, const Exp& e) {
        return ::without_peak(peak, at, e);
    }
    static SOFTJAC_INLINE F16 term(const Exp& e, const F16& w) { return e * w; }     // e w
    static SOFTJAC_INLINE F16 plain_term(const F16& w) { return w; }
    static SOFTJAC_INLINE F16 plain_term(const F16& p, const F16& w) { return p * w; }

    // 1 / S, from S itself or from R.
    template <class F> static SOFTJAC_INLINE F inverse_of(F S) { return set1<F>(1.0) / S; }
    static SOFTJAC_INLINE Inverse inverse_of_sum(const Row&, const Total& S) {
        return {set1<F16>(inverse_of(first_lane(S)).v)};
    }
    static SOFTJAC_INLINE Inverse inverse_of_sum(const Tile&, const Total& S) { return {inverse_of(S)}; }
    template <class Mode> static SOFTJAC_INLINE Inverse inverse(const Mode& mode, const Total& R) {
        return inverse_of_sum(mode, set1<F16>(1.0) + R);
    }
    static SOFTJAC_INLINE M16 is_below(const Shifted& x) { return ne(x, set1<F16>(0.0)); }
    static SOFTJAC_INLINE Total plus_ties(const Total& sum, const F16& ties) { return sum + ties; }
    static SOFTJAC_INLINE Prob prob(const Exp& e, const Inverse& s) { return e * s.hi; }
    static SOFTJAC_INLINE F16 rounded(const Prob& p) { return p; }
    static SOFTJAC_INLINE F16 rounded_prob(const Exp& e, const Inverse& s) { return e * s.hi; }
    static SOFTJAC_INLINE F16 mean(const Total& weighted, const Inverse& s) { return weighted * s.hi; }
    static SOFTJAC_INLINE F16 times(const Prob& p, const F16& x) { return p * x; }
    static SOFTJAC_INLINE F16 one_minus(const Prob& p) { return set1<F16>(1.0) - p; }
    static SOFTJAC_INLINE Total sum_of(const F16& a, const Total& b) { return a + b; }
    static SOFTJAC_INLINE F16 value(const Total& t) { return t; }
    static SOFTJAC_INLINE Total times_number(const Total& t, double f) { return t * set1<F16>(f); }
    // a - p t
    static SOFTJAC_INLINE F16 minus_product(const F16& a, const Prob& p, const Total& t) { return fnma(p, t, a); }

    using Log = F16;
    static SOFTJAC_INLINE Log log1p(const Row&, const Total& R) {
        return set1<F16>(log1p_of(first_lane(R)).v);
    }
    static SOFTJAC_INLINE Log log1p(const Tile&, const Total& R) { return log1p_of(R); }
    template <class F> static SOFTJAC_INLINE F log1p_of(const F& R) {
        return kLong ? log1p_wide(Two<F>{R, set1<F>(0.0)}).hi : log1p_narrow(R);
    }
    static SOFTJAC_INLINE F16 log_prob(const Shifted& x, const Log& log_S) { return x - log_S; }
    static SOFTJAC_INLINE F16 log_sum_exp(const F16& m, const Log& log_S) { return m + log_S; }
};

using Narrow = NarrowFamily<false>;
// For a log-sum-exp, which may cancel.
using NarrowLong = NarrowFamily<true>;

struct Wide {
    static constexpr double kLeastNormal = 0x1p-1022 * kScale;
    using Shifted = Two<F16>;
    using Exp = Two<F16>;
    using Total = Two<F16>;
    using Prob = Two<F16>;
    struct Inverse {
        F16 hi, lo;
    };
    template <class Mode> using Sum = WideSum<Mode>;

    static SOFTJAC_INLINE Shifted shifted(const F16& z, const F16& m) {
        return two_sum(z, -m);  // where it overflows, lo is no number: exp and log_prob look at hi first
    }
    static SOFTJAC_INLINE Exp exp(const Shifted& x) { return exp_wide(x); }
    static SOFTJAC_INLINE F16 leading(const Exp& e) { return e.hi; }
    static SOFTJAC_INLINE Exp one() { return {set1<F16>(kScale), set1<F16>(0.0)}; }

    static SOFTJAC_INLINE void keep(Kept k, std::ptrdiff_t b, const Exp& e) {
        storeu(k.hi + kLanes * b, e.hi);
        store_high(k.lo + kLanes * b, e.lo);
    }
    static SOFTJAC_INLINE Exp kept(Kept k, std::ptrdiff_t b) {
        return {loadu<F16>(k.hi + kLanes * b), load_high<F16>(k.lo + kLanes * b)};
    }

    template <class Mode, class Block>
    static SOFTJAC_INLINE Exp without_peak(const Peak<Mode>& peak, Block at, const Exp& e) {
        return {::without_peak(peak, at, e.hi), ::without_peak(peak, at, e.lo)};
    }
    static SOFTJAC_INLINE Two<F16> term(const Exp& e, const F16& w) {
        const Two<F16> x = two_product(e.hi, w);
        return {x.hi, fma(e.lo, w, x.lo)};
    }
    static SOFTJAC_INLINE Two<F16> plain_term(const F16& w) { return {w, set1<F16>(0.0)}; }
    static SOFTJAC_INLINE Two<F16> plain_term(const F16& p, const F16& w) { return two_product(p, w); }

    // 1 / S, from S itself or from R; both are scaled by 2^128.
    template <class F> static SOFTJAC_INLINE Two<F> inverse_of(const Two<F>& S) {
        const F one = set1<F>(1.0), unscale = set1<F>(kUnscale);
        const F S_hi = S.hi * unscale;
        const F hi = one / S_hi;
        return {hi, hi * fnma(hi, S.lo * unscale, fnma(hi, S_hi, one))};
    }
    static SOFTJAC_INLINE Inverse inverse_of_sum(const Row&, const Total& S) {
        const Two<F1> s = inverse_of(Two<F1>{first_lane(S.hi), first_lane(S.lo)});
        return {set1<F16>(s.hi.v), set1<F16>(s.lo.v)};
    }
    static SOFTJAC_INLINE Inverse inverse_of_sum(const Tile&, const Total& S) {
        const Two<F16> s = inverse_of(S);
        return {s.hi, s.lo};
    }
    template <class Mode> static SOFTJAC_INLINE Inverse inverse(const Mode& mode, const Total& R) {
        return inverse_of_sum(mode, sum_of(set1<F16>(kScale), R));
    }
    static SOFTJAC_INLINE M16 is_below(const Shifted& x) { return ne(x.hi, set1<F16>(0.0)); }
    static SOFTJAC_INLINE Total plus_ties(const Total& sum, const F16& ties) {
        return sum_of(ties * set1<F16>(kScale), sum);
    }
    static SOFTJAC_INLINE Prob prob(const Exp& e, const Inverse& s) {
        const Two<F16> x = two_product(e.hi, s.hi);
        return {x.hi, fma(e.hi, s.lo, fma(e.lo, s.hi, x.lo))};
    }
    static SOFTJAC_INLINE F16 rounded(const Prob& p) { return (p.hi + p.lo) * set1<F16>(kUnscale); }
    // rounded(prob(e, s)), with one rounding less on the way; in the subnormal numbers, too.
    static SOFTJAC_INLINE F16 rounded_prob(const Exp& e, const Inverse& s) {
        const F16 p = fma(e.hi, s.hi, fma(e.hi, s.lo, e.lo * s.hi));
        const M16 low = lt(p, set1<F16>(kLeastNormal));
        if (__builtin_expect(any(low), 0)) return select(low, rounded_low(prob(e, s)), p * set1<F16>(kUnscale));
        return p * set1<F16>(kUnscale);
    }
    // Of a p below the normal numbers: adding the least of them rounds at the place where subnormal numbers end.
    static SOFTJAC_INLINE F16 rounded_low(const Prob& p) {
        const F16 least = set1<F16>(kLeastNormal);
        const Two<F16> s = fast_two_sum(least, p.hi);
        return ((s.hi + (s.lo + p.lo)) - least) * set1<F16>(kUnscale);
    }
    static SOFTJAC_INLINE F16 mean(const Total& weighted, const Inverse& s) { return rounded(prob(weighted, s)); }
    static SOFTJAC_INLINE F16 times(const Prob& p, const F16& x) {
        return fma(p.hi, x, p.lo * x) * set1<F16>(kUnscale);
    }
    static SOFTJAC_INLINE F16 one_minus(const Prob& p) {
        const F16 unscale = set1<F16>(kUnscale);
        const Two<F16> q = fast_two_sum(set1<F16>(1.0), -(p.hi * unscale));
        return q.hi + fnma(p.lo, unscale, q.lo);
    }
    static SOFTJAC_INLINE Total sum_of(const F16& a, const Total& b) {
        const Two<F16> s = two_sum(a, b.hi);
        return fast_two_sum(s.hi, s.lo + b.lo);
    }
    static SOFTJAC_INLINE F16 value(const Total& t) { return t.hi; }
    static SOFTJAC_INLINE Total times_number(const Total& t, double f) {
        return {t.hi * set1<F16>(f), t.lo * set1<F16>(f)};
    }
    static SOFTJAC_INLINE F16 minus_product(const F16& a, const Prob& p, const Total& t) {
        const F16 unscale = set1<F16>(kUnscale);
        const F16 hi = p.hi * unscale, lo = p.lo * unscale;
        return fnma(hi, t.hi, a) - fma(hi, t.lo, lo * t.hi);
    }

    using Log = Two<F16>;
    template <class F> static SOFTJAC_INLINE Two<F> log1p_of(const Two<F>& R) {
        const F unscale = set1<F>(kUnscale);
        return log1p_wide(Two<F>{R.hi * unscale, R.lo * unscale});
    }
    static SOFTJAC_INLINE Log log1p(const Row&, const Total& R) {
        const Two<F1> log_S = log1p_of(Two<F1>{first_lane(R.hi), first_lane(R.lo)});
        return {set1<F16>(log_S.hi.v), set1<F16>(log_S.lo.v)};
    }
    static SOFTJAC_INLINE Log log1p(const Tile&, const Total& R) { return log1p_of(R); }
    static SOFTJAC_INLINE F16 log_prob(const Shifted& x, const Log& log_S) {
        const Two<F16> s = two_sum(x.hi, -log_S.hi);
        const F16 lo = s.lo + (x.lo - log_S.lo);
        return s.hi + zero_unless(finite(s.hi), lo);
    }
    static SOFTJAC_INLINE F16 log_sum_exp(const F16& m, const Log& log_S) {
        const Two<F16> s = two_sum(m, log_S.hi);
        return s.hi + (s.lo + log_S.lo);
    }
};

// The same for x so large that 2^128 p x might overflow.
struct WideLarge : Wide {
    static SOFTJAC_INLINE F16 times(const Prob& p, const F16& x) {
        const F16 unscale = set1<F16>(kUnscale);
        const F16 small = x * unscale;
        return select(lt(set1<F16>(1.0), abs(x)), fma(p.hi, small, p.lo * small), Wide::times(p, x));
    }
};

}  // namespace
