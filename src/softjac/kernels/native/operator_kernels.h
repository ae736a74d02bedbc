// The operator on one row of float64: the closed forms of softjac/operator, which says where they come from. Each kernel
// answers whether its result stands. Where it does not (a NaN, an infinity, sizes near the ends of the range), the caller
// computes that row by NumPy, so that what comes out depends on the row alone.
#pragma once

#include <cmath>
#include <type_traits>

#include "operator_job.h"
#include "sums.h"

namespace {

struct OperatorRow {
    std::ptrdiff_t n;
    View<const double> p, x;
    View<double> out;
    std::ptrdiff_t k, size;
    double q_k, weight, damping;

    Peak<Row> peak() const { return {set1<F16>(p.p[k]), k}; }
};

constexpr double kTooLarge = 0x1p1000, kTooSmall = 0x1p-900;  // of results
constexpr double kLargest = 0x1p900, kSmallest = 0x1p-900;    // of right sides

SOFTJAC_INLINE F16 larger(const F16& a, const F16& b) { return select(lt(a, b), b, a); }

// Of lanes that are no NaN.
inline double largest_lane(const F16& a) {
    using N = Native<double>;
    double lanes[kLanes];
    storeu(lanes, a);
    return N::largest(N::larger(N::load(lanes), N::load(lanes + N::kWidth)));
}

inline double value_of(const F16& a) { return first_lane(a).v; }
inline double value_of(const NarrowSum<Row>& sum, const Row& mode) {
    return value_of(NarrowSum<Row>::total(sum, mode));
}
// The tree of WideSum<Row>::total, with loops whose lengths the compiler knows.
template <int kHalf> SOFTJAC_INLINE void fold(double* hi, double* lo) {
    for (int i = 0; i < kHalf; ++i) {
        const Two<F1> s = add(Two<F1>{{hi[i]}, {lo[i]}}, Two<F1>{{hi[i + kHalf]}, {lo[i + kHalf]}});
        hi[i] = s.hi.v;
        lo[i] = s.lo.v;
    }
    if constexpr (kHalf > 1) fold<kHalf / 2>(hi, lo);
}
inline Two<F1> pair_of(const WideSum<Row>& wide) {
    double hi[kLanes], lo[kLanes];
    storeu(hi, wide.sum.hi);
    storeu(lo, wide.sum.lo);
    fold<kLanes / 2>(hi, lo);
    return fast_two_sum(F1{hi[0]}, F1{lo[0]});
}

// x where p is not 0, else 0. Of a row without such p, only the lanes past its end need to be looked at.
template <bool kZeros, class Block> SOFTJAC_INLINE F16 on_support(const F16& p, Block, const F16& x) {
    if constexpr (kZeros || std::is_same_v<Block, PartBlock>) return zero_if(eq(p, set1<F16>(0.0)), x);
    else return x;
}

struct RowState {
    std::ptrdiff_t k, size;
    double q_k;
    bool subnormal;
};

// One pass: a stretch is looked through for a larger p, and then, still in the first cache, added up without it.
SOFTJAC_SHARED RowState row_state(std::ptrdiff_t n, View<const double> p) {
    Peak<Row> peak{set1<F16>(-kInf), -1};
    double best = -kInf;
    WideSum<Row> sum;
    Two<F1> displaced{{0.0}, {0.0}};
    RowState state{0, n, 0.0, false};
    const F16 least_normal = set1<F16>(0x1p-1022);
    for (std::ptrdiff_t from = 0; from < n; from += kSearched) {
        const std::ptrdiff_t to = n - from < kSearched ? n : from + kSearched;
        const double max = value_of(find_max(Row(to - from), View<const double>{p.p + from, kLanes}));
        if (max > best) {
            if (peak.index >= 0) displaced = add(displaced, Two<F1>{{best}, {0.0}});
            const Peak<Row> found = find_peak(Row(to - from), View<const double>{p.p + from, kLanes});
            peak = {found.max, from + found.index};
            best = max;
        }
        const Row mode = Row(n).part(from, to);
        F16 least = set1<F16>(1.0);
        const Peak<Row> without = peak;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 x = load(p, at, 0.0);
            least = select(lt(x, least), x, least);
            sum.add(at, {without_peak(without, at, x), set1<F16>(0.0)});
        });
        if (any(lt(least, least_normal)))
            for (std::ptrdiff_t j = from; j < to; ++j) {
                state.size -= p.p[j] == 0.0;
                state.subnormal |= p.p[j] != 0.0 && p.p[j] < 0x1p-1022;
            }
    }
    const Two<F1> others = add(pair_of(sum), displaced);
    state.k = peak.index < 0 ? 0 : peak.index;
    state.q_k = others.hi.v + others.lo.v;
    return state;
}

// w p (x - sum of p x) + t x, from x at the largest p.
SOFTJAC_SHARED bool product(const OperatorRow& r) {
    const Row mode(r.n);
    const View<const double> p = r.p, x = r.x;
    const View<double> out = r.out;
    const F16 x_k = set1<F16>(x.p[r.k]), weight = set1<F16>(r.weight), damping = set1<F16>(r.damping);
    NarrowSum<Row> from_k;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        from_k.add(at, load(p, at, 0.0) * (load(x, at, 0.0) - x_k));
    });
    const F16 mean = NarrowSum<Row>::total(from_k, mode);
    const bool plain = r.weight == 1.0 && r.damping == 0.0;
    F16 reach = abs(mean);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 x_j = load(x, at, 0.0);
        F16 y = load(p, at, 0.0) * ((x_j - x_k) - mean);
        if (!plain) y = weight * y + damping * x_j;
        reach = larger(reach, abs(y));
        store(out, at, y);
    });
    return r.weight > 0.0 && std::fabs(value_of(mean)) < kTooLarge && largest_lane(reach) < kTooLarge;
}

// w (the variance of x under p) + t (sum of x^2), in two passes. x_j - x_k is carried as hi + lo, so that an offset of all x costs nothing.
SOFTJAC_SHARED bool quad(const OperatorRow& r, double& result) {
    const Row mode(r.n);
    const View<const double> p = r.p, x = r.x;
    const F16 x_k = set1<F16>(x.p[r.k]);
    NarrowSum<Row> from_k;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        from_k.add(at, load(p, at, 0.0) * (load(x, at, 0.0) - x_k));
    });
    const F16 mean = NarrowSum<Row>::total(from_k, mode);
    NarrowSum<Row> square, of_x;
    const bool damped = r.damping > 0.0;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 x_j = load(x, at, 0.0);
        const Two<F16> w = two_sum(x_j, -x_k);
        const F16 d = (w.hi - mean) + w.lo;
        square.add(at, (load(p, at, 0.0) * d) * d);
        if (damped) of_x.add(at, x_j * x_j);
    });
    const double variance = value_of(square, mode);
    result = r.weight * variance + r.damping * value_of(of_x, mode);
    if (!(r.weight > 0.0) || !(variance < kTooLarge) || !(result < kTooLarge)) return false;
    if (variance >= kTooSmall) return result >= kTooSmall;
    if (variance != 0.0) return false;
    for (std::ptrdiff_t j = 0; j < r.n; ++j)
        if (p.p[j] != 0.0 && x.p[j] != x.p[r.k]) return false;
    return !damped || result >= kTooSmall;
}

// b - mean, mean as hi + lo.
SOFTJAC_INLINE F16 centred(const F16& b, const Two<F16>& mean) {
    const Two<F16> c = two_sum(b, -mean.hi);
    return c.hi + (c.lo - mean.lo);
}

// How far the mean may be off, relative to the largest b: its sum is carried as hi + lo. And how far a result may be.
constexpr double kMeanError = 0x1p-92, kResultError = 0x1p-48;

// In three passes: the mean of b; the sums; the result. Undamped, the second leaves A c where the result goes.
template <bool kZeros> SOFTJAC_SHARED bool solve_row(const OperatorRow& r) {
    const bool damped = r.damping > 0.0;
    const double t = r.damping / r.weight;
    if (!(r.weight > 0.0) || !std::isfinite(t) || (damped && t == 0.0)) return false;
    const Row mode(r.n);
    const View<const double> p = r.p, x = r.x;
    const View<double> out = r.out;

    WideSum<Row> sum;
    F16 sizes = set1<F16>(0.0);
    const F16 limit = set1<F16>(kLargest);
    M16 beyond = lt(sizes, sizes);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        F16 b = load(x, at, 0.0);
        beyond = beyond | not_lt(abs(b), limit);  // a NaN, too, and off the support
        sizes = larger(sizes, abs(b));
        if constexpr (kZeros) b = on_support<kZeros>(load(p, at, 0.0), at, b);
        sum.add(at, {b, set1<F16>(0.0)});
    });
    const double largest_b = largest_lane(sizes);
    if (any(beyond) || (largest_b < kSmallest && largest_b > 0.0)) return false;
    const Two<F1> total = pair_of(sum);
    const F1 count{static_cast<double>(r.size < 1 ? 1 : r.size)};
    const F1 quotient = total.hi / count;
    const F1 rest = fnma(quotient, count, total.hi) + total.lo;
    const Two<F16> mean{set1<F16>(quotient.v), set1<F16>((rest / count).v)};

    const F16 zero = set1<F16>(0.0), one = set1<F16>(1.0), weight = set1<F16>(r.weight);
    const bool weighted = r.weight != 1.0;
    NarrowSum<Row> sum_ac, sum_ap;
    F16 reach = zero;
    if (!damped) {
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p_j = load(p, at, 0.0);
            const F16 ac = on_support<kZeros>(p_j, at, centred(load(x, at, 0.0), mean) / p_j);
            sum_ac.add(at, ac);
            store(out, at, ac);
        });
        const F16 shift = set1<F16>(value_of(sum_ac, mode) / count.v);
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            F16 y = load(View<const double>{out.p, out.step}, at, 0.0) - shift;
            if (weighted) y = y / weight;
            if constexpr (kZeros) y = on_support<kZeros>(load(p, at, 0.0), at, y);
            reach = larger(reach, abs(y));
            store(out, at, y);
        });
        return std::fabs(value_of(shift)) < kTooLarge && largest_lane(reach) < kTooLarge;
    }
    const F16 t16 = set1<F16>(t);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = load(p, at, 0.0);
        const F16 a = one / (p_j + t16);
        sum_ac.add(at, on_support<kZeros>(p_j, at, a * centred(load(x, at, 0.0), mean)));
        sum_ap.add(at, a * p_j);
    });
    const double ratio = value_of(sum_ac, mode) / value_of(sum_ap, mode);
    const double shift = quotient.v / r.damping;
    if (!(std::fabs(ratio) < kTooLarge && std::fabs(shift) < kTooLarge)) return false;
    const F16 ratio16 = set1<F16>(ratio), shift16 = set1<F16>(shift), damping = set1<F16>(r.damping);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = load(p, at, 0.0), b = load(x, at, 0.0);
        F16 y = fnma(p_j, ratio16, centred(b, mean)) / (p_j + t16);
        if (weighted) y = y / weight;
        y = shift16 + y;
        if constexpr (kZeros) y = select(eq(p_j, zero), b / damping, y);
        reach = larger(reach, abs(y));
        store(out, at, y);
    });
    const double largest = largest_lane(reach);
    return largest < kTooLarge && largest_b * kMeanError / r.damping <= largest * kResultError;
}
SOFTJAC_INLINE bool solve(const OperatorRow& r) {
    return r.size < r.n ? solve_row<true>(r) : solve_row<false>(r);
}

// sqrt(w) (sqrt(p) x - p (sum of sqrt(p) x)); at the largest p, sqrt(p) q x - p (the other terms).
SOFTJAC_SHARED bool sqrt_product(const OperatorRow& r) {
    const Row mode(r.n);
    const View<const double> p = r.p, x = r.x;
    const View<double> out = r.out;
    const Peak<Row> peak = r.peak();
    NarrowSum<Row> others;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = load(p, at, 0.0);
        const F16 y = on_support<true>(p_j, at, sqrt(p_j) * load(x, at, 0.0));
        others.add(at, without_peak(peak, at, y));
        store(out, at, y);
    });
    const double rest = value_of(others, mode), top = out.p[r.k], p_k = p.p[r.k];
    const double root = std::sqrt(r.weight);
    if (!(std::fabs(rest) + std::fabs(top) < kTooLarge) || !(root < kTooLarge)) return false;
    const F16 sum = set1<F16>(rest + top), root16 = set1<F16>(root);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 y = load(View<const double>{out.p, out.step}, at, 0.0) - load(p, at, 0.0) * sum;
        store(out, at, y * root16);
    });
    out.p[r.k] = (r.q_k * top - p_k * rest) * root;
    return std::fabs(out.p[r.k]) < kTooLarge;
}

// sqrt(w) sqrt(p) (x - sum of p x), from x at the largest p.
SOFTJAC_SHARED bool sqrt_transposed(const OperatorRow& r) {
    const Row mode(r.n);
    const View<const double> p = r.p, x = r.x;
    const View<double> out = r.out;
    const F16 x_k = set1<F16>(x.p[r.k]), root = set1<F16>(std::sqrt(r.weight));
    NarrowSum<Row> from_k;
    F16 reach = set1<F16>(0.0);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 w = load(x, at, value_of(x_k)) - x_k;
        from_k.add(at, load(p, at, 0.0) * w);
        reach = larger(reach, abs(w));
    });
    const F16 mean = NarrowSum<Row>::total(from_k, mode);
    if (!(std::fabs(value_of(mean)) < kTooLarge && largest_lane(reach) < kTooLarge && value_of(root) < kTooLarge))
        return false;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const Two<F16> w = two_sum(load(x, at, 0.0), -x_k);
        const F16 p_j = load(p, at, 0.0);
        store(out, at, on_support<true>(p_j, at, root * (sqrt(p_j) * ((w.hi - mean) + w.lo))));
    });
    return true;
}

// w (sum of p (1 - p)) + t n.
SOFTJAC_SHARED bool trace(const OperatorRow& r, double& result) {
    const View<const double> p = r.p;
    const F16 one = set1<F16>(1.0);
    const Peak<Row> peak = r.peak();
    NarrowSum<Row> others;
    each_block(Row(r.n), [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = without_peak(peak, at, load(p, at, 0.0));
        others.add(at, p_j * (one - p_j));
    });
    const double of_J = p.p[r.k] * r.q_k + value_of(others, Row(r.n));
    result = r.weight * of_J + r.damping * static_cast<double>(r.n);
    return result < kTooLarge;
}

SOFTJAC_SHARED bool diagonal(const OperatorRow& r) {
    const View<const double> p = r.p;
    const View<double> out = r.out;
    const F16 one = set1<F16>(1.0);
    each_block(Row(r.n), [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = load(p, at, 0.0);
        store(out, at, p_j * (one - p_j));
    });
    out.p[r.k] = p.p[r.k] * r.q_k;
    return r.q_k < kTooLarge;  // not where it is NaN
}

}  // namespace
