// The kernels of every function with one result an element. Each has two parts: prepare() reads the operands and
// answers which lanes hold an odd row (NaN, infinities: see odd_rows.h); finish() writes the results. Nothing is
// written before finish(), so an operand may be the output. Both begin with copies of what their passes read: for the
// compiler, a store might change anything that is in memory.
#pragma once

#include "families.h"

namespace {

template <class E> struct NextMax;
template <class E> struct LossOperands;

template <class E> struct Operands {
    View<const E> in[3];
    View<E> out;
    Kept kept;
    const E* next = nullptr;  // the row that is computed next, if memory is to bring it meanwhile
    const E* next_tangent = nullptr;
    NextMax<E>* next_max = nullptr;
    bool fetch_result = false;  // whether memory is to bring the lines of the result, too
    LossOperands<E>* loss = nullptr;  // of a cross-entropy
};

// The maximum of the row that comes next, found while this row waits for its sum and its quotient. Short rows would
// otherwise spend a good part of their time waiting for one element after another.
template <class E> struct NextMax {
    F16 max;
    const E* row = nullptr;      // whose maximum that is
    const E* upcoming = nullptr;  // whose maximum to find, if any
};
template <class E> SOFTJAC_INLINE F16 max_of(const Row& mode, const Operands<E>& io) {
    return io.next_max && io.next_max->row == io.in[0].p ? io.next_max->max : find_max(mode, io.in[0]);
}
template <class E> SOFTJAC_INLINE F16 max_of(const Tile& mode, const Operands<E>& io) { return find_max(mode, io.in[0]); }
template <class E> SOFTJAC_INLINE void find_next_max(const Row& mode, NextMax<E>& next) {
    next.row = next.upcoming;
    if (next.row) next.max = find_max(mode, View<const E>{next.row, kLanes});
}

// The sums of a Row are bound by arithmetic: meanwhile memory can bring the next row, and the lines of this one's result.
template <class Mode, class E> class Ahead;
template <class E> class Ahead<Row, E> {
  public:
    explicit Ahead(const Operands<E>& io)
        : next_(io.next ? io.next : io.in[0].p), result_(io.fetch_result ? io.out.p : next_) {}
    template <class Block> SOFTJAC_INLINE void operator()(Block at) const {
        for (std::ptrdiff_t line = 0; line < kLanes; line += 64 / static_cast<std::ptrdiff_t>(sizeof(E))) {
            __builtin_prefetch(next_ + at.b * kLanes + line, 0, 2);
            __builtin_prefetch(result_ + at.b * kLanes + line, 1, 2);
        }
    }

  private:
    const E* const next_;
    const E* const result_;
};
template <class E> class Ahead<Tile, E> {
  public:
    explicit Ahead(const Operands<E>&) {}
    SOFTJAC_INLINE void operator()(FullBlock) const {}
};
// The same with the tangent of the next row.
template <class Mode, class E> class AheadWithTangent;
template <class E> class AheadWithTangent<Row, E> {
  public:
    explicit AheadWithTangent(const Operands<E>& io)
        : fetch_(io), tangent_(io.next_tangent ? io.next_tangent : io.in[1].p) {}
    template <class Block> SOFTJAC_INLINE void operator()(Block at) const {
        fetch_(at);
        for (std::ptrdiff_t line = 0; line < kLanes; line += 64 / static_cast<std::ptrdiff_t>(sizeof(E)))
            __builtin_prefetch(tangent_ + at.b * kLanes + line, 0, 2);
    }

  private:
    const Ahead<Row, E> fetch_;
    const E* const tangent_;
};
template <class E> class AheadWithTangent<Tile, E> {
  public:
    explicit AheadWithTangent(const Operands<E>&) {}
    SOFTJAC_INLINE void operator()(FullBlock) const {}
};

template <class... M> inline unsigned odd_lanes(const F16& a, const M&... rest) {
    unsigned normal = lane_bits(finite(a));
    ((normal &= lane_bits(finite(rest))), ...);
    return ~normal & 0xffffu;
}

// g where it counts, else 0; but NaN for a g there that is not finite, so that the row is seen to be odd.
SOFTJAC_INLINE F16 counted(const M16& absent, const F16& g) { return select(absent, g * set1<F16>(0.0), g); }

// A mean so large that w - mean may overflow makes its row odd, too.
SOFTJAC_INLINE F16 with_headroom(const F16& mean) { return mean * set1<F16>(8.0); }

template <class S, class Mode> SOFTJAC_INLINE auto total(S& sum, const Mode& mode) { return S::total(sum, mode); }

// R = sum of e^(z - max) over all but the first maximum. Ties are counted, so that it does not matter which is the first.
template <class Mode, class Family, bool kKeep, class E>
SOFTJAC_INLINE typename Family::Total sum_of_others(const Mode& mode, const F16& max, const Operands<E>& io) {
    const View<const E> logits = io.in[0];
    const Kept kept = io.kept;
    typename Family::template Sum<Mode> sum;
    TieCount<Mode> ties;
    const Ahead<Mode, E> fetch(io);
    each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
        const auto x = Family::shifted(load(logits, at, -kInf), max);
        const auto e = Family::exp(x);
        if (kKeep) Family::keep(kept, at.b, e);
        fetch(at);
        const M16 below = Family::is_below(x);
        ties.add(below);
        sum.add_where(below, at, e);
    });
    return Family::plus_ties(total(sum, mode), ties.others(mode));
}

// p = e / S. Only 1 + R counts here, so that the maximum need not be told from the others.
template <class Mode, class Family> struct Softmax {
    typename Family::Inverse inverse;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> logits = io.in[0];
        const Kept kept = io.kept;
        const F16 max = max_of(mode, io);
        typename Family::template Sum<Mode> sum;
        const Ahead<Mode, E> fetch(io);
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto e = Family::exp(Family::shifted(load(logits, at, -kInf), max));
            Family::keep(kept, at.b, e);
            fetch(at);
            sum.add(at, e);
        });
        const auto S = total(sum, mode);
        inverse = Family::inverse_of_sum(mode, S);
        return odd_lanes(max, Family::value(S));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const Softmax s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            store(out, at, Family::rounded_prob(Family::kept(kept, at.b), s.inverse));
        });
    }
};

// q = 1 - p; R / S at the peak and whatever ties with it.
template <class Mode, class Family> struct Complement {
    typename Family::Inverse inverse;
    typename Family::Total R;
    F16 at_peak;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const F16 max = max_of(mode, io);
        R = sum_of_others<Mode, Family, true>(mode, max, io);
        inverse = Family::inverse(mode, R);
        at_peak = Family::rounded_prob(R, inverse);
        return odd_lanes(max, Family::value(R));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const Complement s = *this;
        const F16 one = Family::leading(Family::one());
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto e = Family::kept(kept, at.b);
            const F16 q = Family::one_minus(Family::prob(e, s.inverse));
            store(out, at, select(ge(Family::leading(e), one), s.at_peak, q));
        });
    }
};

template <class Mode, class Family> struct LogSoftmax {
    F16 row_max;
    typename Family::Log log_S;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const F16 max = max_of(mode, io);
        const auto R = sum_of_others<Mode, Family, false>(mode, max, io);
        row_max = max;
        log_S = Family::log1p(mode, R);
        return odd_lanes(max, Family::value(R));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> logits = io.in[0];
        const View<E> out = io.out;
        const LogSoftmax s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            store(out, at, Family::log_prob(Family::shifted(load(logits, at, -kInf), s.row_max), s.log_S));
        });
    }
};

// One result a row: in a Tile sixteen of them at out.p, in a Row one.
template <class Mode, class Family> struct LogSumExp {
    F16 result;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const F16 max = max_of(mode, io);
        const auto R = sum_of_others<Mode, Family, false>(mode, max, io);
        result = Family::log_sum_exp(max, Family::log1p(mode, R));
        return odd_lanes(max, Family::value(R));
    }
    template <class E> void finish(const Row&, const Operands<E>& io) const { store(io.out, PartBlock{0, 1}, result); }
    template <class E> void finish(const Tile&, const Operands<E>& io) const { store(io.out, FullBlock{0}, result); }
};

// A kernel with tangents can go on from prepare() with tangents in other units: rescale(f) says that operand i of finish()
// is f[i] times that of prepare().

// Jv = p (w - mean of w under p), with w = v - v at the peak.
template <class Mode, class Family> struct Jvp {
    Peak<Mode> peak;
    typename Family::Inverse inverse;
    typename Family::Total R;
    F16 v_peak, mean;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> logits = io.in[0];
        const View<const E> tangent = io.in[1];
        const Kept kept = io.kept;
        const Peak<Mode> k = peak = find_peak(mode, io.in[0]);
        const F16 v_k = v_peak = at_peak(k, io.in[1]);
        typename Family::template Sum<Mode> others, weighted;
        const AheadWithTangent<Mode, E> fetch(io);
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto e = Family::exp(Family::shifted(load(logits, at, -kInf), k.max));
            Family::keep(kept, at.b, e);
            fetch(at);
            const auto e_other = Family::without_peak(k, at, e);
            others.add(at, e_other);
            weighted.add(at, Family::term(e_other, load(tangent, at, 0.0) - v_k));
        });
        R = total(others, mode);
        inverse = Family::inverse(mode, R);
        mean = Family::mean(total(weighted, mode), inverse);
        return odd_lanes(peak.max, Family::value(R), with_headroom(mean));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> tangent = io.in[1];
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const Jvp s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 w = load(tangent, at, 0.0) - s.v_peak;
            store(out, at, Family::times(Family::prob(Family::kept(kept, at.b), s.inverse), w - s.mean));
        });
    }
    void rescale(const double* f) {
        v_peak = v_peak * set1<F16>(f[1]);
        mean = mean * set1<F16>(f[1]);
    }
};

// v - mean of v under p = w - mean of w; 0 at a logit of -inf.
template <class Mode, class Family> struct LogJvp {
    Jvp<Mode, Family> jvp;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) { return jvp.prepare(mode, io); }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> logits = io.in[0];
        const View<const E> tangent = io.in[1];
        const View<E> out = io.out;
        const LogJvp s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 w = load(tangent, at, 0.0) - s.jvp.v_peak;
            const M16 absent = eq(load(logits, at, -kInf), set1<F16>(-kInf));
            store(out, at, zero_if(absent, w - s.jvp.mean));
        });
    }
    void rescale(const double* f) { jvp.rescale(f); }
};

// g_i - p_i (sum of g); at the peak q_k g_k - p_k (sum of the other g). 0 at a logit of -inf, whose g does not count.
template <class Mode, class Family> struct LogVjp {
    Peak<Mode> peak;
    typename Family::Inverse inverse;
    typename Family::Total g_sum;
    F16 result_peak;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> logits = io.in[0];
        const View<const E> tangent = io.in[1];
        const Kept kept = io.kept;
        const Peak<Mode> k = peak = find_peak(mode, io.in[0]);
        typename Family::template Sum<Mode> others, g_others;
        const Ahead<Mode, E> fetch(io);
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 z = load(logits, at, -kInf);
            const auto e = Family::exp(Family::shifted(z, k.max));
            Family::keep(kept, at.b, e);
            fetch(at);
            others.add(at, Family::without_peak(k, at, e));
            const F16 g = counted(eq(z, set1<F16>(-kInf)), load(tangent, at, 0.0));
            g_others.add(at, Family::plain_term(without_peak(k, at, g)));
        });
        const auto R = total(others, mode);
        const auto rest = total(g_others, mode);
        const F16 g_peak = at_peak(peak, io.in[1]);
        inverse = Family::inverse(mode, R);
        g_sum = Family::sum_of(g_peak, rest);
        const F16 q_peak = Family::rounded_prob(R, inverse);
        const F16 p_peak = Family::rounded_prob(Family::one(), inverse);
        result_peak = fma(q_peak, g_peak, -(p_peak * Family::value(rest)));
        return odd_lanes(peak.max, Family::value(R), Family::value(g_sum), result_peak);
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> logits = io.in[0];
        const View<const E> tangent = io.in[1];
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const LogVjp s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const M16 absent = eq(load(logits, at, -kInf), set1<F16>(-kInf));
            const auto p = Family::prob(Family::kept(kept, at.b), s.inverse);
            const F16 result = Family::minus_product(load(tangent, at, 0.0), p, s.g_sum);
            store(out, at, replace_peak(s.peak, at, s.result_peak, zero_if(absent, result)));
        });
    }
    void rescale(const double* f) {
        g_sum = Family::times_number(g_sum, f[1]);
        result_peak = result_peak * set1<F16>(f[1]);
    }
};

// p (c - mean of c), c = (a - mean of a) (b - mean of b), a = u - u at the peak, b = v - v at the peak.
template <class Mode, class Family> struct SecondDerivative {
    Peak<Mode> peak;
    typename Family::Inverse inverse;
    F16 u_peak, v_peak, u_mean, v_mean, mean;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const View<const E> logits = io.in[0];
        const View<const E> tangent = io.in[1];
        const View<const E> second = io.in[2];
        const Kept kept = io.kept;
        const Peak<Mode> k = peak = find_peak(mode, io.in[0]);
        const F16 u_k = u_peak = at_peak(k, io.in[1]), v_k = v_peak = at_peak(k, io.in[2]);
        typename Family::template Sum<Mode> others, u_sum, v_sum, product;
        const Ahead<Mode, E> fetch(io);
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto e = Family::exp(Family::shifted(load(logits, at, -kInf), k.max));
            Family::keep(kept, at.b, e);
            fetch(at);
            const auto e_other = Family::without_peak(k, at, e);
            others.add(at, e_other);
            u_sum.add(at, Family::term(e_other, load(tangent, at, 0.0) - u_k));
            v_sum.add(at, Family::term(e_other, load(second, at, 0.0) - v_k));
        });
        const auto R = total(others, mode);
        inverse = Family::inverse(mode, R);
        u_mean = Family::mean(total(u_sum, mode), inverse);
        v_mean = Family::mean(total(v_sum, mode), inverse);
        const SecondDerivative s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            product.add(at, Family::term(Family::kept(kept, at.b), s.centred(io, at)));
        });
        mean = Family::mean(total(product, mode), inverse);
        return odd_lanes(peak.max, Family::value(R), with_headroom(u_mean), with_headroom(v_mean), with_headroom(mean));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const SecondDerivative s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto p = Family::prob(Family::kept(kept, at.b), s.inverse);
            store(out, at, Family::times(p, s.centred(io, at) - s.mean));
        });
    }
    void rescale(const double* f) {
        u_peak = u_peak * set1<F16>(f[1]);
        u_mean = u_mean * set1<F16>(f[1]);
        v_peak = v_peak * set1<F16>(f[2]);
        v_mean = v_mean * set1<F16>(f[2]);
        mean = mean * set1<F16>(f[1]) * set1<F16>(f[2]);
    }

  private:
    template <class E, class Block> SOFTJAC_INLINE F16 centred(const Operands<E>& io, Block at) const {
        const F16 a = load(io.in[1], at, 0.0) - u_peak;
        const F16 b = load(io.in[2], at, 0.0) - v_peak;
        return (a - u_mean) * (b - v_mean);
    }
};

}  // namespace
