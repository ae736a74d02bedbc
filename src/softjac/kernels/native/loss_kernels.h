// The kernels of cross-entropy, in two parts as in row_kernels.h. prepare() also answers the loss of each row.
// Notation: z logits, m their maximum, k where it is first, d = m - z, R and S sums of e^-d without k and with it,
// t targets with T their sum, and lse = m + log1p(R).
#pragma once

#include "loss_rows.h"
#include "row_kernels.h"

namespace {

// The product of two pairs.
template <class F> SOFTJAC_INLINE Two<F> multiply(const Two<F>& a, const Two<F>& b) {
    const Two<F> x = two_product(a.hi, b.hi);
    return {x.hi, fma(a.hi, b.lo, fma(a.lo, b.hi, x.lo))};
}

// What both families know about losses, in pairs: in the narrow one the low parts are 0.
template <class Family> struct LossNumbers;
template <bool kLong> struct LossNumbers<NarrowFamily<kLong>> {
    using Family = NarrowFamily<kLong>;
    using Inverse = typename Family::Inverse;
    using Target = F16;
    // y kept + share, and that times a weight.
    static SOFTJAC_INLINE Target smoothed(const F16& y, const Two<F16>& kept, const Two<F16>& share) {
        return fma(y, kept.hi, share.hi) + fma(y, kept.lo, share.lo);
    }
    static SOFTJAC_INLINE Target weighed(const Target& t, const F16& w) { return t * w; }
    static SOFTJAC_INLINE F16 rounded(const Target& t) { return t; }
    static SOFTJAC_INLINE Two<F16> pair(const F16& x) { return {x, set1<F16>(0.0)}; }
    static SOFTJAC_INLINE Two<F16> pair_of_scaled(const F16& x) { return pair(x); }
    // (c log1p(R) + rest) omega
    static SOFTJAC_INLINE Two<F16> loss(const Two<F16>& c, const Two<F16>& log_S, const F16&, const Two<F16>& rest,
                                        const F16& omega) {
        return pair(fma(c.hi, log_S.hi, rest.hi) * omega);
    }
    template <class Mode> static SOFTJAC_INLINE void low_part(const Mode&, LossRows&, const F16&) {}  // it is 0
    // The exponential that was kept where x belongs.
    template <class Mode>
    static SOFTJAC_INLINE F16 exp_at(const Mode& mode, const LossRows& rows, Kept kept, const F16&) {
        return ::at_label(mode, rows, View<const double>{kept.hi, kLanes});
    }
    // s with a factor in it, so that no product is left to a result but the one with its exponential; and what is left of
    // the factor, where the factor is too large or too small for that.
    static SOFTJAC_INLINE Inverse times(const Inverse& s, const Two<F16>& factor, F16& back) {
        back = set1<F16>(1.0);
        return {s.hi * factor.hi};
    }
    static SOFTJAC_INLINE F16 result(const F16& e, const Inverse& s, const F16&) { return e * s.hi; }
    // t d for the shifted logit x = -d, 0 where t is.
    static SOFTJAC_INLINE F16 weighted(const F16& t, const F16& x) { return zero_if(eq(t, set1<F16>(0.0)), -(t * x)); }
    // A as it multiplies p, and what their product is to be multiplied by.
    static SOFTJAC_INLINE Two<F16> ready(const Two<F16>& A, F16& back) {
        back = set1<F16>(1.0);
        return A;
    }
    // scale (A p - t)
    static SOFTJAC_INLINE F16 soft(const Two<F16>& A, const F16& p, const F16& t, const Two<F16>& scale, const F16&) {
        return fma(A.hi, p, -t) * scale.hi + set1<F16>(0.0);  // not -0
    }
};
template <> struct LossNumbers<Wide> {
    using Family = Wide;
    using Inverse = Wide::Inverse;
    using Target = Two<F16>;
    static SOFTJAC_INLINE Target smoothed(const F16& y, const Two<F16>& kept, const Two<F16>& share) {
        const Two<F16> x = two_product(y, kept.hi);
        return ::add(Two<F16>{x.hi, fma(y, kept.lo, x.lo)}, share);
    }
    static SOFTJAC_INLINE Target weighed(const Target& t, const F16& w) {
        const Two<F16> x = two_product(t.hi, w);
        return {x.hi, fma(t.lo, w, x.lo)};
    }
    static SOFTJAC_INLINE F16 rounded(const Target& t) { return t.hi + t.lo; }
    static SOFTJAC_INLINE Two<F16> pair(const Two<F16>& x) { return x; }
    static SOFTJAC_INLINE Two<F16> pair_of_scaled(const Two<F16>& x) {
        return {x.hi * set1<F16>(kUnscale), x.lo * set1<F16>(kUnscale)};
    }
    // Where all of it is so small that products have no low part, log1p(R) is R, which is at hand scaled.
    static SOFTJAC_INLINE Two<F16> loss(const Two<F16>& c, const Two<F16>& log_S, const Two<F16>& R, const Two<F16>& rest,
                                        const F16& omega) {
        const M16 low = lt(R.hi, set1<F16>(0x1p-700 * kScale)) & lt(rest.hi, set1<F16>(0x1p-700));
        const F16 scale = select(low, set1<F16>(kScale), set1<F16>(1.0));
        const F16 unscale = select(low, set1<F16>(kUnscale), set1<F16>(1.0));
        const Two<F16> L = {select(low, R.hi, log_S.hi), select(low, R.lo, log_S.lo)};
        const Two<F16> sum = ::add(Two<F16>{rest.hi * scale, rest.lo * scale}, multiply(c, L));
        const Two<F16> loss = multiply(sum, {omega, set1<F16>(0.0)});
        const Two<F16> rounded = fast_two_sum(loss.hi, loss.lo);
        return {rounded.hi * unscale, rounded.lo * unscale};
    }
    template <class Mode> static SOFTJAC_INLINE void low_part(const Mode& mode, LossRows& rows, const F16& lo) {
        to_rows(mode, rows.loss_lo, lo);
    }
    template <class Mode>
    static SOFTJAC_INLINE Two<F16> exp_at(const Mode&, const LossRows&, Kept, const Two<F16>& x) {
        return exp_wide(x);
    }
    static SOFTJAC_INLINE Inverse times(const Inverse& s, const Two<F16>& factor, F16& back) {
        const F16 size = abs(factor.hi), one = set1<F16>(1.0);
        const M16 large = lt(set1<F16>(0x1p600), size), small = lt(size, set1<F16>(0x1p-600));
        const F16 apart = select(large, set1<F16>(0x1p256), select(small, set1<F16>(0x1p-256), one));
        const F16 toward = select(large, set1<F16>(0x1p-256), select(small, set1<F16>(0x1p256), one));
        back = apart * set1<F16>(kUnscale);
        const Two<F16> x = multiply(Two<F16>{s.hi, s.lo}, Two<F16>{factor.hi * toward, factor.lo * toward});
        return {x.hi, x.lo};
    }
    static SOFTJAC_INLINE F16 result(const Two<F16>& e, const Inverse& s, const F16& back) {
        return fma(e.hi, s.hi, fma(e.hi, s.lo, e.lo * s.hi)) * back;
    }
    static SOFTJAC_INLINE Two<F16> weighted(const Target& t, const Two<F16>& x) {
        const M16 nothing = eq(t.hi, set1<F16>(0.0));
        const F16 hi = zero_if(nothing, -(t.hi * x.hi));
        const F16 lo = -fma(t.hi, x.hi, hi) - fma(t.hi, x.lo, t.lo * x.hi);
        return {hi, zero_unless(finite(hi), zero_if(nothing, lo))};
    }
    static SOFTJAC_INLINE Two<F16> ready(const Two<F16>& A, F16& back) {
        const M16 large = lt(set1<F16>(0x1p800), abs(A.hi));  // 2^128 A p might overflow
        const F16 toward = select(large, set1<F16>(kUnscale), set1<F16>(1.0));
        back = select(large, set1<F16>(1.0), set1<F16>(kUnscale));
        return {A.hi * toward, A.lo * toward};
    }
    static SOFTJAC_INLINE F16 soft(const Two<F16>& A, const Two<F16>& p, const F16& t, const Two<F16>& scale,
                                   const F16& back) {
        const Two<F16> Ap = multiply(A, p);
        const Two<F16> difference = two_sum(Ap.hi * back, -t);
        const F16 g = difference.hi + fma(Ap.lo, back, difference.lo);
        return fma(g, scale.hi, g * scale.lo) + set1<F16>(0.0);
    }
};

SOFTJAC_INLINE Two<F16> log_of_sum(const Row&, const Two<F16>& R) {
    const Two<F1> log_S = log1p_wide(Two<F1>{first_lane(R.hi), first_lane(R.lo)});
    return {set1<F16>(log_S.hi.v), set1<F16>(log_S.lo.v)};
}
SOFTJAC_INLINE Two<F16> log_of_sum(const Tile&, const Two<F16>& R) { return log1p_wide(R); }

// A loss that is not finite, in a row that is not odd, has a target at a logit of -inf.
template <class Numbers, class Mode>
SOFTJAC_INLINE void answer_loss(const Mode& mode, LossRows& rows, const Two<F16>& loss) {
    const M16 ordinary = finite(loss.hi);
    to_rows(mode, rows.loss, select(ordinary, loss.hi, set1<F16>(kInf)));
    Numbers::low_part(mode, rows, zero_unless(ordinary, loss.lo));
}

SOFTJAC_INLINE Two<F16> unless_zero(const F16& factor, const Two<F16>& x) {
    const M16 nothing = eq(factor, set1<F16>(0.0));
    return {zero_if(nothing, x.hi), zero_if(nothing, x.lo)};
}

// One class c a row, with mass T: the loss T (d_c + log1p(R)), the gradient scale T p_j, and -scale T q_c at c.
template <class Mode, class Family> struct LabelLoss {
    using Numbers = LossNumbers<Family>;
    typename Family::Inverse inverse;
    Peak<Mode> label;
    F16 at_label, back;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        LossRows& rows = io.loss->rows;
        const F16 max = max_of(mode, io);
        const auto R = sum_of_others<Mode, Family, true>(mode, max, io);
        const auto of_sum = Family::inverse(mode, R);
        const Two<F16> T = {of_rows(mode, rows.mass), of_rows(mode, rows.mass_lo)};
        const Two<F16> factor = multiply(T, {of_rows(mode, rows.scale), of_rows(mode, rows.scale_lo)});
        label = label_of(mode, rows);
        const auto x = Family::shifted(::at_label(mode, rows, io.in[0]), max);
        const auto e = Numbers::exp_at(mode, rows, io.kept, x);
        inverse = Numbers::times(of_sum, factor, back);
        const F16 q = Family::one_minus(Family::prob(e, of_sum));
        const F16 lost = select(Family::is_below(x), fma(q, factor.hi, q * factor.lo), Numbers::result(R, inverse, back));
        at_label = set1<F16>(0.0) - lost;  // not -0 where nothing is
        const Two<F16> Td = unless_zero(T.hi, multiply(T, {-Numbers::pair(x).hi, -Numbers::pair(x).lo}));
        const Two<F16> log_S = Numbers::pair(Family::log1p(mode, R));
        answer_loss<Numbers>(mode, rows, Numbers::loss(T, log_S, R, Td, of_rows(mode, rows.omega)));
        return odd_lanes(max, Family::value(R));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const LabelLoss s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 g = Numbers::result(Family::kept(kept, at.b), s.inverse, s.back);
            store(out, at, replace_peak(s.label, at, s.at_label, g));
        });
    }
    void rescale(const double*) {}
};

SOFTJAC_INLINE F16 within(FullBlock) { return set1<F16>(1.0); }
SOFTJAC_INLINE F16 within(PartBlock at) {
    return zero_unless(lt(iota<F16>(), set1<F16>(static_cast<double>(at.count))), set1<F16>(1.0));
}

// Targets t_j = w_j (y_j (1 - smoothing) + share), T their sum: the loss sum of t_j d_j + T log1p(R) + z_loss lse^2, the
// gradient scale (A p_j - t_j) with A = T + 2 z_loss lse. Where p_k is above 1/2 that cancels at k, and is there
// scale ((sum of the other t) - T q_k + 2 z_loss lse p_k).
template <class Mode, class Family> struct TargetLoss {
    using Numbers = LossNumbers<Family>;
    typename Family::Inverse inverse;
    Peak<Mode> top, label;
    F16 at_top, back;
    typename Numbers::Target at_label;
    Two<F16> share, A, scale;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        LossRows& rows = io.loss->rows;
        const TargetViews<E> views = io.loss->views;
        const Kept kept = io.kept;
        const View<const E> logits = io.in[0];
        const Peak<Mode> k = find_peak(mode, io.in[0]);
        read(mode, rows, views);
        const TargetLoss s = *this;
        typename Family::template Sum<Mode> others, targets, other_targets, distances;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto x = Family::shifted(load(logits, at, -kInf), k.max);
            const auto e = Family::exp(x);
            Family::keep(kept, at.b, e);
            const auto t = s.target(mode, views, at);
            others.add(at, Family::without_peak(k, at, e));
            targets.add(at, t);
            other_targets.add(at, Family::without_peak(k, at, t));
            distances.add(at, Numbers::weighted(t, x));
        });
        const auto R = total(others, mode);
        inverse = Family::inverse(mode, R);
        const Two<F16> T = Numbers::pair(total(targets, mode)), rest = Numbers::pair(total(other_targets, mode));
        const Two<F16> q = Numbers::pair_of_scaled(Family::prob(R, inverse));
        const Two<F16> p = Numbers::pair_of_scaled(Family::prob(Family::one(), inverse));
        const Two<F16> log_S = log_of_sum(mode, Numbers::pair_of_scaled(R));
        const Two<F16> lse = ::add(Two<F16>{k.max, set1<F16>(0.0)}, log_S);
        const Two<F16> slope = multiply({set1<F16>(2.0 * io.loss->z_loss), set1<F16>(0.0)}, lse);
        A = Numbers::ready(::add(T, slope), back);
        const Two<F16> Tq = multiply(T, q);
        const Two<F16> g = ::add(::add(rest, Two<F16>{-Tq.hi, -Tq.lo}), multiply(slope, p));
        const F16 sum = g.hi + g.lo;
        at_top = fma(sum, scale.hi, sum * scale.lo);
        top = only_where(lt(q.hi, set1<F16>(0.5)), k);
        const Two<F16> of_z = multiply(multiply({set1<F16>(io.loss->z_loss), set1<F16>(0.0)}, lse), lse);
        const Two<F16> beside = ::add(Numbers::pair(total(distances, mode)), of_z);
        answer_loss<Numbers>(mode, rows, Numbers::loss(T, log_S, R, beside, of_rows(mode, rows.omega)));
        return odd_lanes(k.max, Family::value(R));
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const TargetViews<E> views = io.loss->views;
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const TargetLoss s = *this;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto p = Family::prob(Family::kept(kept, at.b), s.inverse);
            const F16 g = Numbers::soft(s.A, p, Numbers::rounded(s.target(mode, views, at)), s.scale, s.back);
            store(out, at, replace_peak(s.top, at, s.at_top, g));
        });
    }
    void rescale(const double*) {}

  private:
    template <class E>
    SOFTJAC_INLINE void read(const Mode& mode, const LossRows& rows, const TargetViews<E>& views) {
        scale = {of_rows(mode, rows.scale), of_rows(mode, rows.scale_lo)};
        share = {of_rows(mode, rows.share), of_rows(mode, rows.share_lo)};
        label = label_of(mode, rows);
        at_label = smoothed(views, of_rows(mode, rows.mass));
    }
    // y (1 - smoothing) + share
    template <class E>
    SOFTJAC_INLINE typename Numbers::Target smoothed(const TargetViews<E>& views, const F16& y) const {
        return Numbers::smoothed(y, {set1<F16>(views.kept_share), set1<F16>(views.kept_share_lo)}, share);
    }
    template <class E, class Block>
    SOFTJAC_INLINE typename Numbers::Target target(const Mode& mode, const TargetViews<E>& views, Block at) const {
        typename Numbers::Target u = smoothed(views, set1<F16>(0.0));
        if (views.wide.p) u = smoothed(views, load(views.wide, at, 0.0));
        else if (views.own.p) u = smoothed(views, load(views.own, at, 0.0));
        return Numbers::weighed(replaced(at, u), weight(mode, views, at));
    }
    template <class Block> SOFTJAC_INLINE F16 replaced(Block at, const F16& u) const {
        return replace_peak(label, at, at_label, u);
    }
    template <class Block> SOFTJAC_INLINE Two<F16> replaced(Block at, const Two<F16>& u) const {
        return {replace_peak(label, at, at_label.hi, u.hi), replace_peak(label, at, at_label.lo, u.lo)};
    }
    // Of the class; 0 past the end of the row and where it is masked out.
    template <class E> static SOFTJAC_INLINE F16 weight(const Tile&, const TargetViews<E>& views, FullBlock at) {
        if (!views.weights.p) return set1<F16>(1.0);
        return views.weights.step ? load(views.weights, at, 0.0) : set1<F16>(views.weights.p[at.b]);
    }
    template <class E, class Block>
    static SOFTJAC_INLINE F16 weight(const Row&, const TargetViews<E>& views, Block at) {
        return views.weights.p ? load(views.weights, at, 0.0) : within(at);
    }
    static SOFTJAC_INLINE Peak<Row> only_where(const M16& m, const Peak<Row>& k) {
        return {k.max, lane_bits(m) & 1u ? k.index : -1};
    }
    static SOFTJAC_INLINE Peak<Tile> only_where(const M16& m, const Peak<Tile>& k) {
        return {k.max, select(m, k.index, set1<F16>(-1.0))};
    }
};

// Product of the Hessian alpha J + beta p p^T with a vector: p (alpha (w - mean of w) + beta (v_k + mean of w)), with
// w = v - v_k, alpha = scale + scale_lo lse and beta = scale_lo.
template <class Mode, class Family> struct HessianProduct {
    Jvp<Mode, Family> jvp;
    F16 alpha, beta;

    template <class E> SOFTJAC_SHARED unsigned prepare(const Mode& mode, const Operands<E>& io) {
        const unsigned odd = jvp.prepare(mode, io);
        const LossRows& rows = io.loss->rows;
        alpha = of_rows(mode, rows.scale);
        beta = of_rows(mode, rows.scale_lo);
        if (io.loss->z_loss != 0.0) {
            alpha = fma(beta, Family::log_sum_exp(jvp.peak.max, Family::log1p(mode, jvp.R)), alpha);
        }
        return odd | odd_lanes(along() * set1<F16>(0x1p130));  // room for the scale of wide results
    }
    template <class E> SOFTJAC_SHARED void finish(const Mode& mode, const Operands<E>& io) const {
        const View<const E> tangent = io.in[1];
        const Kept kept = io.kept;
        const View<E> out = io.out;
        const HessianProduct s = *this;
        const F16 along_p = s.along();
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const F16 w = load(tangent, at, 0.0) - s.jvp.v_peak;
            const auto p = Family::prob(Family::kept(kept, at.b), s.jvp.inverse);
            store(out, at, Family::times(p, fma(s.alpha, w - s.jvp.mean, along_p)) + set1<F16>(0.0));  // not -0
        });
    }
    void rescale(const double* f) { jvp.rescale(f); }

  private:
    SOFTJAC_INLINE F16 along() const { return beta * (jvp.v_peak + jvp.mean); }
};

}  // namespace
