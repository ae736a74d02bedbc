// The largest eigenvalue of diag(p) - p p^T: the root x of the sum of p_j / (p_j - x) between the two largest p, found as
// an offset from the nearer of them. The iteration is that of softjac/operator/_roots.py, where all but the largest p
// are poles to the left.
#pragma once

#include "operator_kernels.h"

namespace {

struct Secular {
    const OperatorRow& r;
    double first, second;  // the two largest p
    bool from_left;        // the pole that offsets are from

    double gap() const { return first - second; }

    // Sums over the p to the left of x = pole + offset: of p_j / (x - p_j), and of p_j / (x - p_j)^2.
    SOFTJAC_SHARED void sums_at(double offset, double& value, double& slope) const {
        const Row mode(r.n);
        const View<const double> p = r.p;
        const Peak<Row> peak = r.peak();
        const F16 pole = set1<F16>(from_left ? second : first), by = set1<F16>(offset), one = set1<F16>(1.0);
        NarrowSum<Row> values, slopes;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p_j = without_peak(peak, at, load(p, at, 0.0));
            const F16 a = one / ((pole - p_j) + by);
            const F16 term = p_j * a;
            values.add(at, term);
            slopes.add(at, term * a);
        });
        value = value_of(values, mode);
        slope = value_of(slopes, mode);
    }
    double to_left() const { return from_left ? 0.0 : -gap(); }
    double to_right() const { return from_left ? gap() : 0.0; }
};

// The root of c + a / (left - x) + b / (right - x) between left and right, by the formula that does not cancel;
// constant: c left right + a right + b left.
inline double root_of_fit(double a, double b, double c, double left, double right, double constant) {
    const double linear = c * (left + right) + a + b;
    const double square = linear * linear - 4.0 * c * constant;
    const double root = std::sqrt(square > 0.0 ? square : 0.0);
    return linear > 0.0 ? 2.0 * constant / (linear + root) : (linear - root) / (2.0 * c);
}

// The middle of a bracket; of one that reaches to the pole, far closer to the pole.
inline double halved(double low, double high) {
    return low == 0.0 || high == 0.0 ? (low + high) * 0x1p-10 : 0.5 * (low + high);
}

constexpr int kMostSteps = 200;
constexpr double kSettled = 0x1p-30;  // a step of this size, relative to the offset, leaves an error of its square
constexpr double kRounding = 0x1p-52;

SOFTJAC_SHARED bool largest_eigenvalue(const OperatorRow& r, double& result) {
    const Row mode(r.n);
    const Peak<Row> peak = r.peak();
    const double first = r.p.p[r.k];
    F16 others = set1<F16>(0.0);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        others = larger(others, without_peak(peak, at, load(r.p, at, 0.0)));
    });
    const double second = largest_lane(others);
    result = second == first ? first : 0.0;
    if (!(r.q_k < kTooLarge)) return false;
    if (second == first || second == 0.0) return true;
    if (second < kTooSmall) return false;

    Secular f{r, first, second, true};
    double value, slope;
    const double half = 0.5 * f.gap();
    f.sums_at(half, value, slope);
    double x = half, low = 0.0, high = half;
    if (first / half < value) {
        f.from_left = false;
        x = -half, low = -half, high = 0.0;
    }
    const double left = f.to_left(), right = f.to_right();
    for (int step = 0; step < kMostSteps; ++step) {
        if (step > 0) f.sums_at(x, value, slope);
        const double on_left = left - x, on_right = right - x;
        const double total = first / on_right - value;
        if (total == 0.0) break;
        if (step > 0) (total < 0.0 ? low : high) = x;
        const double of_right = first / on_right / on_right;
        const double a = slope * on_left * on_left, b = of_right * on_right * on_right;
        const double c = total - slope * on_left - of_right * on_right;
        const double near = root_of_fit(a, b, c, on_left, on_right, on_left * on_right * total);
        // A long step is taken from the pole: x + step would lose the digits of a root close to it.
        double next = x + near;
        if (!(std::fabs(near) <= 0.25 * std::fabs(x)))
            next = root_of_fit(a, b, c, left, right, f.from_left ? a * right : b * left);
        const bool inside = next >= low && next <= high && next != 0.0;
        if (!inside) next = halved(low, high);
        const bool settled = inside && std::fabs(next - x) <= kSettled * std::fabs(x);
        const bool rounding = std::fabs(total) <= 0.5 * kRounding * (first / std::fabs(on_right) + value);
        x = next;
        if (settled || rounding) break;
    }
    result = (f.from_left ? second : first) + x;
    return true;
}

}  // namespace
