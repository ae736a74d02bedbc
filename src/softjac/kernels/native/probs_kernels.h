// The kernels of products with the Jacobian from probabilities that the caller kept. In two parts as in row_kernels.h.
#pragma once

#include "row_kernels.h"

namespace {

// Jv from probabilities that the caller kept.
template <class Mode, class Family> struct VjpFromProbs {
    Peak<Mode> peak;
    F16 v_peak, mean;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> probs = io.in[0];
        const View<const E> tangent = io.in[1];
        const Peak<Mode> k = peak = find_peak(mode, io.in[0]);
        const F16 v_k = v_peak = at_peak(k, io.in[1]);
        typename Family::template Sum<Mode> weighted;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p = without_peak(k, at, load(probs, at, 0.0));
            weighted.add(at, Family::plain_term(p, load(tangent, at, 0.0) - v_k));
        });
        mean = Family::value(total(weighted, mode));
        return odd_lanes(peak.max, with_headroom(mean));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> probs = io.in[0];
        const View<const E> tangent = io.in[1];
        const View<E> out = io.out;
        const VjpFromProbs s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 w = load(tangent, at, 0.0) - s.v_peak;
            store(out, at, load(probs, at, 0.0) * (w - s.mean));
        });
    }
    void rescale(const double* f) {
        v_peak = v_peak * set1<F16>(f[1]);
        mean = mean * set1<F16>(f[1]);
    }
};

template <class Mode, class Family> struct LogVjpFromProbs {
    Peak<Mode> peak;
    typename Family::Total g_sum;
    F16 result_peak;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> probs = io.in[0];
        const View<const E> tangent = io.in[1];
        const Peak<Mode> k = peak = find_peak(mode, io.in[0]);
        typename Family::template Sum<Mode> q, g_others;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p = load(probs, at, 0.0);
            q.add(at, Family::plain_term(without_peak(k, at, p)));
            const F16 g = counted(eq(p, set1<F16>(0.0)), load(tangent, at, 0.0));
            g_others.add(at, Family::plain_term(without_peak(k, at, g)));
        });
        const F16 q_peak = Family::value(total(q, mode));
        const auto rest = total(g_others, mode);
        const F16 g_peak = at_peak(peak, io.in[1]);
        g_sum = Family::sum_of(g_peak, rest);
        result_peak = fma(q_peak, g_peak, -(peak.max * Family::value(rest)));
        return odd_lanes(peak.max, q_peak, Family::value(g_sum), result_peak);
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> probs = io.in[0];
        const View<const E> tangent = io.in[1];
        const View<E> out = io.out;
        const LogVjpFromProbs s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 p = load(probs, at, 0.0);
            const F16 result = fnma(p, Family::value(s.g_sum), load(tangent, at, 0.0));
            const F16 at_zero = zero_if(eq(p, set1<F16>(0.0)), result);
            store(out, at, replace_peak(s.peak, at, s.result_peak, at_zero));
        });
    }
    void rescale(const double* f) {
        g_sum = Family::times_number(g_sum, f[1]);
        result_peak = result_peak * set1<F16>(f[1]);
    }
};

}  // namespace
