// Cross-entropy of rows that have no ordinary answer: NaN, +inf, nothing but -inf. The limit where there is one, NaN
// where there is none.
#pragma once

#include "loss_rows.h"
#include "odd_rows.h"

namespace {

// Targets of one row, one by one.
template <class E> struct TargetLine {
    const TargetViews<E>& views;
    const LossRows& rows;  // its own in lane 0
    std::ptrdiff_t lane;   // of the views
    bool is_row;           // whether their steps are those of a Row

    template <class T> double at(View<const T> x, std::ptrdiff_t j) const {
        return static_cast<double>(is_row || !x.step ? x.p[j] : x.p[j * x.step + lane]);
    }
    double operator()(std::ptrdiff_t j) const {
        double y = views.wide.p ? at(views.wide, j) : views.own.p ? at(views.own, j) : 0.0;
        if (static_cast<double>(j) == rows.label[0]) y = rows.mass[0];
        const double weight = views.weights.p ? at(views.weights, j) : 1.0;
        return weight * (y * views.kept_share + rows.share[0]);
    }
};

// One class with its whole mass, as the op cross_entropy has it.
struct LabelLine {
    const LossRows& rows;
    double operator()(std::ptrdiff_t j) const { return static_cast<double>(j) == rows.label[0] ? rows.mass[0] : 0.0; }
};

// Whether an element takes part; without a mask all do.
struct Part {
    const char* mask;
    std::ptrdiff_t step;
    bool operator()(std::ptrdiff_t j) const { return !mask || mask[j * step]; }
};

// Writes the gradient, if `out` has an address, and the loss to lane 0 of `rows`.
template <class E, class Targets>
SOFTJAC_SHARED void odd_loss_row(Line<const E> z, const Part& part, const Targets& target, double z_loss, LossRows& rows,
                                 Line<E> out, std::ptrdiff_t n) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    bool has_nan = false;
    std::ptrdiff_t top = 0, support = 0;
    double elsewhere = 0.0, at_top = 0.0;
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        if (!part(j)) continue;
        has_nan |= std::isnan(z[j]);
        const bool is_top = z[j] == std::numeric_limits<E>::infinity();
        top += is_top;
        support += z[j] > -std::numeric_limits<E>::infinity();
        (is_top ? at_top : elsewhere) += target(j);
    }
    const bool no_limit = has_nan || support == 0;
    const bool endless = elsewhere > 0.0 || z_loss > 0.0;
    rows.loss_lo[0] = 0.0;
    rows.loss[0] = no_limit || (top > 1 && at_top > 0.0) ? nan : endless ? inf : 0.0;
    if (!out.p) return;
    // A NaN comes from no arithmetic: of a negated one, compilers keep either sign.
    constexpr E not_a_number = std::numeric_limits<E>::quiet_NaN();
    if (no_limit) {
        for (std::ptrdiff_t j = 0; j < n; ++j) out[j] = part(j) ? not_a_number : E(0);
        return;
    }
    const double scale = rows.scale[0];
    const double of_top = z_loss > 0.0 ? scale * inf : scale * elsewhere;
    const bool moves = elsewhere > 0.0 || at_top > 0.0 || z_loss > 0.0;
    const E at_tops = top == 1 ? static_cast<E>(of_top) : moves ? not_a_number : E(0);
    for (std::ptrdiff_t j = 0; j < n; ++j) {  // `out` may be the memory of the logits
        const bool is_top = z[j] == std::numeric_limits<E>::infinity();
        if (!part(j)) out[j] = E(0);
        else if (is_top) out[j] = at_tops;
        else out[j] = static_cast<E>(0.0 - scale * target(j));
    }
}

// The limits of a product with the Hessian where tangents v_a are infinite: an element i moves by the sum of all v_a times
// p_i p_a (beta - slope), and by its own v_i times p_i (slope q_i + beta p_i). slope = alpha + beta lse.
template <class E>
SOFTJAC_SHARED void infinite_product(const Line<const E>* in, Line<E> out, std::ptrdiff_t n, double alpha, double beta) {
    const double inf = std::numeric_limits<double>::infinity();
    double m = -inf, S = 0.0;
    std::ptrdiff_t plus = 0, minus = 0;
    for (std::ptrdiff_t j = 0; j < n; ++j) m = in[0][j] > m ? static_cast<double>(in[0][j]) : m;
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        if (!(in[0][j] > -inf)) continue;
        S += std::exp(in[0][j] - m);
        plus += in[1][j] == inf;
        minus += in[1][j] == -inf;
    }
    const double slope = alpha + beta * (m + std::log(S)), across = beta - slope;
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        double result = 0.0;
        if (in[0][j] > -inf) {
            const double p = std::exp(in[0][j] - m) / S;
            if (std::isinf(in[1][j])) result = in[1][j] * (slope * (1.0 - p) + beta * p);
            if (plus > (in[1][j] == inf)) result += across * inf;
            if (minus > (in[1][j] == -inf)) result -= across * inf;
        }
        out[j] = std::isnan(result) ? std::numeric_limits<E>::quiet_NaN() : static_cast<E>(result);
    }
}

// A product with the Hessian slope J + beta p p^T. Writes the result and answers true where the row does not count, or
// where beta makes it unlike a product with J.
template <class E>
SOFTJAC_SHARED bool odd_hessian_row(const Line<const E>* in, Line<E> out, std::ptrdiff_t n, double alpha, double beta,
                                    bool absent) {
    if (absent) return fill(out, n, 0.0), true;
    bool is_nan = false, infinite = false;
    std::ptrdiff_t top = 0, support = 0, at = 0;
    for (std::ptrdiff_t j = 0; j < n; ++j) {
        const bool counts = in[0][j] > -std::numeric_limits<E>::infinity();
        is_nan |= std::isnan(in[0][j]) || std::isnan(in[1][j]);
        infinite |= counts && std::isinf(in[1][j]);
        support += counts;
        if (in[0][j] == std::numeric_limits<E>::infinity()) ++top, at = j;
    }
    if (is_nan || support == 0 || top > 1) return false;
    if (top == 1 && beta != 0.0) {
        fill(out, n, 0.0);
        out[at] = static_cast<E>(beta * static_cast<double>(in[1][at]));
        return true;
    }
    if (!infinite || (beta == 0.0 && alpha > 0.0)) return false;
    return infinite_product(in, out, n, alpha, beta), true;
}

}  // namespace
