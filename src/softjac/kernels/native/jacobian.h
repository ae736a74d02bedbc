// The dense Jacobian of one row: J_ij = -p_i p_j, J_ii = p_i q_i. Bound by writing it.
#pragma once

#include "drive.h"

namespace {

// p_i p_j and p_i q_i from what each family keeps of a probability. Symmetric to the bit: the wide cross sum is not
// fused, so that it does not matter which factor comes first.
struct NarrowFactor {
    F16 p;
    static SOFTJAC_INLINE NarrowFactor load(const double* hi, const double*) {
        return {loadu<F16>(hi)};
    }
    static SOFTJAC_INLINE NarrowFactor broadcast(const double* hi, const double*, std::ptrdiff_t i) {
        return {set1<F16>(hi[i])};
    }
    static SOFTJAC_INLINE F16 minus_product(const NarrowFactor& a, const NarrowFactor& b) {
        return fnma(a.p, b.p, set1<F16>(0.0));
    }
};
struct WideFactor {  // both scaled by 2^128
    F16 hi, lo;
    static SOFTJAC_INLINE WideFactor load(const double* hi, const double* lo) {
        return {loadu<F16>(hi), loadu<F16>(lo)};
    }
    static SOFTJAC_INLINE WideFactor broadcast(const double* hi, const double* lo, std::ptrdiff_t i) {
        return {set1<F16>(hi[i]), set1<F16>(lo[i])};
    }
    static SOFTJAC_INLINE F16 minus_product(const WideFactor& a, const WideFactor& b) {
        const F16 product = fma(a.hi, b.hi, a.hi * b.lo + a.lo * b.hi);
        return fnma(product, set1<F16>(kUnscale * kUnscale), set1<F16>(0.0));
    }
};

template <class X> class JacobianDriver {
    using E = typename ElementOf<X>::type;
    static constexpr bool kWide = std::is_same_v<E, double>;
    using Family = std::conditional_t<kWide, Wide, Narrow>;
    using Factor = std::conditional_t<kWide, WideFactor, NarrowFactor>;
    static constexpr bool kNative = std::is_same_v<E, X>;
    static constexpr std::ptrdiff_t kItem = sizeof(X);

  public:
    static std::size_t scratch_bytes(const Job& job) {
        const std::ptrdiff_t width = blocks_of(job.n) * kLanes;
        return static_cast<std::size_t>(4 * Arena::padded(width * 8) + Arena::padded(width * 4) +
                                        2 * Arena::padded(width * static_cast<std::ptrdiff_t>(sizeof(E))) +
                                        Arena::padded(sizeof(Shared)) + Arena::padded(kStaging));
    }

    static void run(const Job& job, std::ptrdiff_t row, std::ptrdiff_t i_first, std::ptrdiff_t i_last, bool fresh,
                    char* scratch) {
        JacobianDriver d(job, row, scratch);
        if (fresh) d.find_probabilities();
        if (d.shared_->odd) d.write_odd(i_first, i_last);
        else d.write(i_first, i_last);
    }

  private:
    struct Shared {  // lives in the scratch memory from one call to the next
        bool odd;
        bool nothing_takes_part;
        RowKind kind;
    };

    const Job& job_;
    const std::ptrdiff_t n_;
    Kept kept_;
    double *hi_, *lo_, *diagonal_;
    E *z_, *line_;
    Shared* shared_;
    char* staging_;
    const char* in_;
    const char* mask_;
    char* out_;

    JacobianDriver(const Job& job, std::ptrdiff_t row, char* scratch) : job_(job), n_(job.n) {
        const std::ptrdiff_t width = blocks_of(n_) * kLanes;
        Arena arena(scratch);
        kept_ = {arena.take<double>(width), arena.take<std::uint32_t>(width)};
        hi_ = arena.take<double>(width);
        lo_ = arena.take<double>(width);
        diagonal_ = arena.take<double>(width);
        z_ = arena.take<E>(width);
        line_ = arena.take<E>(width);
        shared_ = arena.take<Shared>(1);
        staging_ = arena.take<char>(kStaging);
        in_ = job.in[0].data + softjac::row_offset(job, job.in[0], row);
        mask_ = job.mask.data ? job.mask.data + softjac::row_offset(job, job.mask, row) : nullptr;
        out_ = job.out.data + softjac::row_offset(job, job.out, row);
    }

    bool takes_part(std::ptrdiff_t j) const { return !mask_ || mask_[j * job_.mask.core]; }

    void find_probabilities() {
        pack_line<X>(in_, job_.in[0].core, n_, z_);
        std::ptrdiff_t takers = 0;
        for (std::ptrdiff_t j = 0; j < n_; ++j) {
            if (!takes_part(j)) z_[j] = -std::numeric_limits<E>::infinity();
            else ++takers;
        }
        const Row mode{n_};
        Operands<E> io{};
        io.in[0] = {z_, kLanes};
        io.kept = kept_;
        Complement<Row, Family> state;
        shared_->odd = state.prepare(mode, io) != 0;
        shared_->nothing_takes_part = takers == 0;
        if (shared_->odd) {
            shared_->kind = kind_of<E>(Op::softmax_jacobian, {z_, 1}, n_);
            return;
        }
        const F16 one = Family::leading(Family::one());
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            const auto e = Family::kept(kept_, at.b);
            const M16 tops = ge(Family::leading(e), one);
            set_factor(at.b, tops, Family::prob(e, state.inverse), state.R);
        });
    }

    SOFTJAC_INLINE void set_factor(std::ptrdiff_t b, const M16& tops, const F16& p, const F16& R) {
        storeu(hi_ + b * kLanes, p);
        storeu(diagonal_ + b * kLanes, p * select(tops, p * R, set1<F16>(1.0) - p));  // at the top, q = R / S = p R
    }
    SOFTJAC_INLINE void set_factor(std::ptrdiff_t b, const M16& tops, const Two<F16>& p, const Two<F16>& R) {
        const F16 unscale = set1<F16>(kUnscale);
        const Two<F16> a = fast_two_sum(p.hi, p.lo);
        storeu(hi_ + b * kLanes, a.hi);
        storeu(lo_ + b * kLanes, a.lo);
        // At the top, p = 1 / S and q = R / S: both scaled by 2^128, as 1 - p is here.
        const F16 p_hi = a.hi * unscale, p_lo = a.lo * unscale;
        const Two<F16> top = two_product(R.hi, p_hi);
        const F16 top_lo = fma(R.hi, p_lo, fma(R.lo, p_hi, top.lo));
        const Two<F16> rest = fast_two_sum(set1<F16>(kScale), -a.hi);
        const F16 q_hi = select(tops, top.hi, rest.hi);
        const F16 q_lo = select(tops, top_lo, rest.lo - a.lo);
        const F16 product = fma(a.hi, q_hi, fma(a.hi, q_lo, a.lo * q_hi));
        storeu(diagonal_ + b * kLanes, product * (unscale * unscale));
    }

    // Entries j_first to j_last - 1 of row i.
    SOFTJAC_SHARED void fill(std::ptrdiff_t i, std::ptrdiff_t j_first, std::ptrdiff_t j_last, E* to) const {
        const Factor row = Factor::broadcast(hi_, lo_, i);
        const std::ptrdiff_t count = j_last - j_first;
        const double *hi = hi_ + j_first, *lo = lo_ + j_first;
        for (std::ptrdiff_t j = 0; j + kLanes <= count; j += kLanes)
            storeu(to + j, Factor::minus_product(row, Factor::load(hi + j, lo + j)));
        if (const std::ptrdiff_t rest = count % kLanes) {
            if (count >= kLanes) {  // the last sixteen, some of them once more
                const std::ptrdiff_t j = count - kLanes;
                storeu(to + j, Factor::minus_product(row, Factor::load(hi + j, lo + j)));
            } else {
                E last[kLanes];
                storeu(last, Factor::minus_product(row, Factor::load(hi, lo)));
                std::memcpy(to, last, static_cast<std::size_t>(rest) * sizeof(E));
            }
        }
        if (j_first <= i && i < j_last) to[i - j_first] = static_cast<E>(diagonal_[i]);
    }

    void write(std::ptrdiff_t i_first, std::ptrdiff_t i_last) {
        if (!kNative || job_.out_columns != kItem) {
            for (std::ptrdiff_t i = i_first; i < i_last; ++i) {
                fill(i, 0, n_, line_);
                unpack_line<X>(line_, out_ + i * job_.out.core, job_.out_columns, n_);
            }
            return;
        }
        constexpr std::ptrdiff_t kSegment = kStaging / kItem;
        const bool stream = job_.given_bytes >= kStreamed && n_ * n_ * kItem >= kStaging;
        E* const staging = reinterpret_cast<E*>(staging_);
        if (stream && n_ < kSegment && job_.out.core == n_ * kItem) {  // several rows at a time
            const std::ptrdiff_t together = kSegment / n_;
            for (std::ptrdiff_t i = i_first; i < i_last; i += together) {
                const std::ptrdiff_t count = i_last - i < together ? i_last - i : together;
                for (std::ptrdiff_t k = 0; k < count; ++k) fill(i + k, 0, n_, staging + k * n_);
                stream_copy(out_ + i * job_.out.core, staging_, count * n_ * kItem);
            }
            stream_fence();
            return;
        }
        // By segments of a row, so that the probabilities of its columns stay in the first cache.
        for (std::ptrdiff_t j = 0; j < n_; j += kSegment) {
            const std::ptrdiff_t j_last = n_ - j < kSegment ? n_ : j + kSegment;
            for (std::ptrdiff_t i = i_first; i < i_last; ++i) {
                char* const to = out_ + i * job_.out.core + j * kItem;
                fill(i, j, j_last, stream ? staging : reinterpret_cast<E*>(to));
                if (stream) stream_copy(to, staging_, (j_last - j) * kItem);
            }
        }
        if (stream) stream_fence();
    }

    void write_odd(std::ptrdiff_t i_first, std::ptrdiff_t i_last) {
        const RowKind& kind = shared_->kind;
        const bool all_nan = !shared_->nothing_takes_part && (kind.nan || kind.support == 0);
        const bool tops_nan = kind.top > 1;
        for (std::ptrdiff_t i = i_first; i < i_last; ++i) {
            for (std::ptrdiff_t j = 0; j < n_; ++j) {
                const bool nan = takes_part(i) && takes_part(j) &&
                                 (all_nan || (tops_nan && std::isinf(z_[i]) && z_[i] > E(0) && z_[j] == z_[i]));
                line_[j] = nan ? std::numeric_limits<E>::quiet_NaN() : E(0);
            }
            unpack_line<X>(line_, out_ + i * job_.out.core, job_.out_columns, n_);
        }
    }
};

}  // namespace
