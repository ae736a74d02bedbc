// Rows that have no ordinary answer: NaN, +inf, nothing but -inf, nothing at all, tangents that are not finite. The
// result is the limit where there is one, NaN where there is none; it needs no exponential, only what stands where.
#pragma once

#include <cmath>
#include <limits>

#include "job.h"
#include "twofold.h"

namespace {

using softjac::Op;

// One row of an operand, any stride (in elements).
template <class E> struct Line {
    E* p;
    std::ptrdiff_t step;
    E& operator[](std::ptrdiff_t j) const { return p[j * step]; }
};

inline bool takes_probs(Op op) { return op == Op::softmax_vjp_probs || op == Op::log_softmax_vjp_probs; }
constexpr int tangents_of(Op op) {
    switch (op) {
        case Op::softmax_second_derivative: return 2;
        case Op::softmax_jvp:
        case Op::log_softmax_jvp:
        case Op::log_softmax_vjp:
        case Op::softmax_vjp_probs:
        case Op::log_softmax_vjp_probs:
        case Op::cross_entropy_hvp: return 1;
        default: return 0;
    }
}

// What an element that takes no part gets.
inline double neutral(Op op) {
    switch (op) {
        case Op::log_softmax:
        case Op::logsumexp: return -std::numeric_limits<double>::infinity();
        case Op::softmax_complement: return 1.0;
        default: return 0.0;
    }
}

struct RowKind {
    bool nan = false;
    std::ptrdiff_t top = 0;      // elements at +inf
    std::ptrdiff_t support = 0;  // elements above -inf (of probabilities: not 0)
};

template <class E> bool in_support(Op op, E x) {
    return takes_probs(op) ? x != E(0) : x > -std::numeric_limits<E>::infinity();
}

template <class E> SOFTJAC_SHARED RowKind kind_of(Op op, Line<const E> z, std::ptrdiff_t n) {
    RowKind kind;
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        kind.nan |= std::isnan(z[j]) || (takes_probs(op) && std::isinf(z[j]));
        kind.top += z[j] == std::numeric_limits<E>::infinity();
        kind.support += in_support(op, z[j]);
    }
    return kind;
}

// The result at an element of a row with +inf in it.
inline double at_infinity(Op op, bool is_top, std::ptrdiff_t top) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    switch (op) {
        case Op::softmax: return is_top ? (top == 1 ? 1.0 : nan) : 0.0;
        case Op::softmax_complement: return is_top ? (top == 1 ? 0.0 : nan) : 1.0;
        case Op::log_softmax: return is_top ? (top == 1 ? 0.0 : nan) : -std::numeric_limits<double>::infinity();
        default: return is_top && top > 1 ? nan : 0.0;
    }
}

template <class E> void fill(Line<E> out, std::ptrdiff_t n, double value) {
    for (std::ptrdiff_t j = 0; j < n; ++j) out[j] = static_cast<E>(value);
}

// Infinite tangents with J fixed. One infinite v_s: +-inf by the signs of J; several: no limit on them.
template <class E>
void infinite_tangent(Op op, Line<const E> z, Line<const E> v, Line<E> out, std::ptrdiff_t n, bool both_signs,
                      std::ptrdiff_t infinite, double sign) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        double result = 0.0;
        if (in_support(op, z[j])) {
            if (both_signs || op == Op::softmax_second_derivative) result = nan;
            else if (!std::isinf(v[j])) result = -sign * inf;
            else result = infinite == 1 ? sign * inf : nan;
        }
        out[j] = static_cast<E>(result);
    }
}

// Writes the result of an odd row; false where the row is ordinary once tangents off the support are left out (they may
// be infinite there) and large ones are scaled: the caller then computes it so.
template <class E>
SOFTJAC_SHARED bool odd_row(Op op, const Line<const E>* in, Line<E> out, std::ptrdiff_t n, bool nothing_takes_part) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Line<const E> z = in[0];
    const std::ptrdiff_t results = op == Op::logsumexp ? 1 : n;
    if (nothing_takes_part) return fill(out, results, neutral(op)), true;
    const RowKind kind = kind_of(op, z, n);
    bool tangent_nan = false, plus = false, minus = false;
    std::ptrdiff_t infinite = 0;
    for (int t = 1; t <= tangents_of(op); ++t)
        for (std::ptrdiff_t j = 0; j < n; ++j) {
            tangent_nan |= std::isnan(in[t][j]);
            if (std::isinf(in[t][j]) && in_support(op, z[j])) {
                ++infinite;
                (in[t][j] > E(0) ? plus : minus) = true;
            }
        }
    if (kind.nan || tangent_nan) return fill(out, results, nan), true;
    if (op == Op::logsumexp) {
        out[0] = kind.top ? std::numeric_limits<E>::infinity() : -std::numeric_limits<E>::infinity();
        return true;
    }
    if (kind.top && !takes_probs(op)) {
        for (std::ptrdiff_t j = 0; j < n; ++j)
            out[j] = static_cast<E>(at_infinity(op, z[j] == std::numeric_limits<E>::infinity(), kind.top));
        return true;
    }
    if (kind.support == 0) return fill(out, n, takes_probs(op) ? 0.0 : nan), true;
    if (infinite == 0) return false;
    if (kind.support == 1) return fill(out, n, 0.0), true;
    infinite_tangent(op, z, in[1], out, n, plus && minus, infinite, plus ? 1.0 : -1.0);
    return true;
}

}  // namespace
