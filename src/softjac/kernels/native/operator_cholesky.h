// The Cholesky factor of weight (diag(p) - p p^T) + damping, of which softjac/operator/_factors.py has the formulas, and
// products and solves with it. The running sums go from four elements to the next four, as hi + lo: scalar code, the same
// on every instruction set. What is done to an element before and after it was added is done to sixteen at a time.
#pragma once

#include "operator_kernels.h"

namespace {

// Sums of what stands before (or, backwards, after) each of sixteen elements, and of all.
struct Running {
    double hi = 0.0, lo = 0.0;

    SOFTJAC_INLINE void add(double x) {
        const Two<F1> s = two_sum(F1{hi}, F1{x});
        hi = s.hi.v;
        lo += s.lo.v;
    }
    SOFTJAC_INLINE F16 before(const F16& x, bool backwards) {
        double term[kLanes], sum[kLanes];
        storeu(term, x);
        for (int group = 0; group < kLanes; group += 4) {
            const int first = backwards ? kLanes - 1 - group : group, step = backwards ? -1 : 1;
            const double start = hi + lo, one = term[first], two = one + term[first + step];
            const double three = two + term[first + 2 * step];
            sum[first] = start;
            sum[first + step] = start + one;
            sum[first + 2 * step] = start + two;
            sum[first + 3 * step] = start + three;
            add(three + term[first + 3 * step]);
        }
        return loadu<F16>(sum);
    }
    // Sums of what stands up to each of sixteen elements, the element included: for terms that may cancel, one by one.
    SOFTJAC_INLINE F16 through(const F16& x) {
        double term[kLanes], sum[kLanes];
        storeu(term, x);
        for (int i = 0; i < kLanes; ++i) add(term[i]), sum[i] = hi + lo;
        return loadu<F16>(sum);
    }
    bool ordinary() const { return std::fabs(hi) < kTooLarge; }
};

template <class Body> SOFTJAC_INLINE void each_block_backwards(std::ptrdiff_t n, const Body& body) {
    const std::ptrdiff_t full = n / kLanes;
    if (const int rest = static_cast<int>(n % kLanes)) body(PartBlock{full, rest});
    for (std::ptrdiff_t b = full - 1; b >= 0; --b) body(FullBlock{b});
}

struct CholeskyRow {
    std::ptrdiff_t n;
    View<const double> p, x, c, pivot, G;  // G: n + 1 of them, G_j at j
    View<double> out;
    double root, t;  // of the weight; damping / weight

    View<const double> G_after() const { return {G.p + 1, kLanes}; }
};

// pivot, c and G of a row.
SOFTJAC_SHARED bool cholesky_factor(std::ptrdiff_t n, View<const double> p, double weight, double damping, double* G,
                                    View<double> pivot, View<double> c) {
    const double t = damping / weight;
    if (!(weight > 0.0) || !std::isfinite(t) || (damping > 0.0 && t < 0x1p-1022)) return false;
    const Row mode(n);
    Running sum;
    each_block_backwards(n, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        store(View<double>{G + 1, kLanes}, at, sum.before(load(p, at, 0.0), true));
    });
    G[0] = sum.hi + sum.lo;
    if (!(G[0] < kTooLarge)) return false;  // not where it is NaN
    const F16 zero = set1<F16>(0.0), one = set1<F16>(1.0), t16 = set1<F16>(t), root = set1<F16>(std::sqrt(weight));
    const View<double> Gs{G, kLanes};
    if (t > 0.0) {
        Running passed;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p_j = load(p, at, 0.0);
            const F16 before = passed.before(p_j / (p_j + t16), false);
            store(Gs, at, load(View<const double>{G, kLanes}, at, 0.0) + t16 * before);
        });
        G[n] = t * (passed.hi + passed.lo);
    }
    const View<const double> here{G, kLanes}, after{G + 1, kLanes};
    F16 reach = zero;
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 p_j = load(p, at, 0.0), G_j = load(here, at, 1.0), next = load(after, at, 1.0), d = p_j + t16;
        const F16 inverse = one / G_j;
        const F16 share = select(lt(zero, G_j), next * inverse, one);
        const F16 plain = sqrt(d * share), diagonal = root * plain;
        // p / sqrt(d G_j G_(j+1)), with one root for both
        const F16 below = zero_unless(lt(zero, next) & lt(zero, p_j), (p_j * inverse) / plain);
        reach = larger(reach, larger(diagonal, below));
        store(pivot, at, diagonal);
        store(c, at, below);
    });
    return largest_lane(reach) < kTooLarge;
}

// L x: pivot x - root p (sum of c x before).
SOFTJAC_SHARED bool cholesky_product(const CholeskyRow& r) {
    Running sum;
    const F16 root = set1<F16>(r.root);
    F16 reach = root;
    each_block(Row(r.n), [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 x = load(r.x, at, 0.0);
        const F16 before = sum.before(load(r.c, at, 0.0) * x, false);
        const F16 y = load(r.pivot, at, 0.0) * x - root * load(r.p, at, 0.0) * before;
        reach = larger(reach, abs(y));
        store(r.out, at, y);
    });
    return sum.ordinary() && largest_lane(reach) < kTooLarge;
}

// L^T x: pivot x - root c (sum of p x after).
SOFTJAC_SHARED bool cholesky_transposed(const CholeskyRow& r) {
    Running sum;
    const F16 root = set1<F16>(r.root);
    F16 reach = root;
    each_block_backwards(r.n, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 x = load(r.x, at, 0.0);
        const F16 after = sum.before(load(r.p, at, 0.0) * x, true);
        const F16 y = load(r.pivot, at, 0.0) * x - root * load(r.c, at, 0.0) * after;
        reach = larger(reach, abs(y));
        store(r.out, at, y);
    });
    return sum.ordinary() && largest_lane(reach) < kTooLarge;
}

// The y with L y = b: (b G_(j+1) + p (sum of b p / d up to here)) / (G_j pivot).
SOFTJAC_SHARED bool cholesky_solve(const CholeskyRow& r) {
    Running sum;
    const F16 zero = set1<F16>(0.0), one = set1<F16>(1.0), t = set1<F16>(r.t);
    F16 reach = zero;
    each_block(Row(r.n), [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 b = load(r.x, at, 0.0), p = load(r.p, at, 0.0), G = load(r.G, at, 0.0), pivot = load(r.pivot, at, 0.0);
        const F16 known = sum.through(zero_if(eq(p, zero), b * (p / (p + t))));
        const F16 share = select(lt(zero, G), load(r.G_after(), at, 0.0) / G, one);
        const F16 y = zero_if(eq(pivot, zero), (b * share + zero_unless(lt(zero, G), p / G) * known) / pivot);
        reach = larger(reach, abs(y));
        store(r.out, at, y);
    });
    return sum.ordinary() && largest_lane(reach) < kTooLarge;
}

// The y with L^T y = b: (b + c G_(j+1) (sum of c b after)) / pivot.
SOFTJAC_SHARED bool cholesky_solve_transposed(const CholeskyRow& r) {
    Running sum;
    const F16 zero = set1<F16>(0.0);
    F16 reach = zero;
    each_block_backwards(r.n, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const F16 b = load(r.x, at, 0.0), c = load(r.c, at, 0.0), pivot = load(r.pivot, at, 0.0);
        const F16 after = sum.before(c * b, true);
        const F16 y = zero_if(eq(pivot, zero), (b + c * load(r.G_after(), at, 0.0) * after) / pivot);
        reach = larger(reach, abs(y));
        store(r.out, at, y);
    });
    return sum.ordinary() && largest_lane(reach) < kTooLarge;
}

}  // namespace
