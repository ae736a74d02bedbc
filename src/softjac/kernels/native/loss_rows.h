// What the kernels of cross-entropy are told of each row beside its logits, and what they answer.
#pragma once

#include "job.h"
#include "pack.h"

namespace {

// One number a row, in the lanes of a tile; a Row has its own in lane 0.
struct LossRows {
    double label[kLanes];                    // class of the single target, -1 without one
    double mass[kLanes], mass_lo[kLanes];    // target there; of cross_entropy, times the weight of that class
    double scale[kLanes], scale_lo[kLanes];  // of the result; of a Hessian: alpha, and twice the scaled z_loss
    double share[kLanes], share_lo[kLanes];  // what smoothing gives to each class
    double loss[kLanes], loss_lo[kLanes];
    unsigned absent = 0;                     // lanes of rows that do not count

    // What is read, in every lane after `count` as in lane 0.
    void fill_up(int count) {
        for (const auto field : kRead)
            for (int l = count; l < kLanes; ++l) (this->*field)[l] = (this->*field)[0];
    }
    // Lane l of other rows as lane 0.
    void take_lane(const LossRows& from, int l) {
        for (const auto field : kRead) (this->*field)[0] = (from.*field)[l];
        absent = from.absent >> l & 1u;
    }

  private:
    static constexpr double (LossRows::*const kRead[])[kLanes] = {
        &LossRows::label,    &LossRows::mass,  &LossRows::mass_lo,  &LossRows::scale,
        &LossRows::scale_lo, &LossRows::share, &LossRows::share_lo,
    };
};

// The targets of one row or tile, in one of two types or not there; and weights of the classes, in a tile with step 0 the
// same for all rows. What is not there has no address.
template <class E> struct TargetViews {
    View<const double> wide = {nullptr, 0};
    View<const E> own = {nullptr, 0};
    View<const double> weights = {nullptr, 0};
    double kept_share = 1.0, kept_share_lo = 0.0;  // 1 - smoothing
};

template <class E> struct LossOperands {
    LossRows rows;
    TargetViews<E> views;
    double z_loss = 0.0;
};

SOFTJAC_INLINE F16 of_rows(const Row&, const double* x) { return set1<F16>(x[0]); }
SOFTJAC_INLINE F16 of_rows(const Tile&, const double* x) { return loadu<F16>(x); }
SOFTJAC_INLINE void to_rows(const Row&, double* x, const F16& a) { x[0] = first_lane(a).v; }
SOFTJAC_INLINE void to_rows(const Tile&, double* x, const F16& a) { storeu(x, a); }

// Where the single target is, as a place in the row; nowhere if it is -1.
inline Peak<Row> label_of(const Row&, const LossRows& rows) {
    return {set1<F16>(0.0), static_cast<std::ptrdiff_t>(rows.label[0])};
}
inline Peak<Tile> label_of(const Tile&, const LossRows& rows) { return {set1<F16>(0.0), loadu<F16>(rows.label)}; }

inline double two_double_product(double a, double b, double& lo) {
    const double p = a * b;
    lo = std::fma(a, b, -p);
    return p;
}

// Reads the numbers of `count` rows, of which the first is `offset` rows of the innermost dimension further on.
class LossReader {
  public:
    explicit LossReader(const softjac::Job& job) : job_(job), terms_(job.loss) {}

    void seek(std::ptrdiff_t row) {
        for (int i = 0; i < kAll; ++i)
            at_[i] = operand(i).data ? operand(i).data + softjac::row_offset(job_, operand(i), row) : nullptr;
    }
    void step(std::ptrdiff_t count) {
        for (int i = 0; i < kAll; ++i)
            if (at_[i]) at_[i] += count * lane(i);
    }
    const char* targets() const { return at_[kTargets]; }
    std::ptrdiff_t targets_lane() const { return lane(kTargets); }

    // Lanes past `count` repeat the first row.
    void load(LossRows& rows, std::ptrdiff_t offset, int count) const {
        rows.absent = 0;
        for (int l = 0; l < count; ++l) {
            if (job_.op == softjac::Op::cross_entropy_hvp) {
                rows.scale[l] = number(kScale, offset + l, 0.0);
                rows.scale_lo[l] = number(kScaleLo, offset + l, 0.0);
                rows.label[l] = -1.0;
                if (rows.scale[l] == 0.0 && rows.scale_lo[l] == 0.0) rows.absent |= 1u << l;
                continue;
            }
            std::int64_t label;
            std::memcpy(&label, at_[kLabel] + (offset + l) * lane(kLabel), sizeof label);
            if (label < -1) rows.absent |= 1u << l;
            const double mass = number(kMass, offset + l, 1.0);
            rows.label[l] = static_cast<double>(label < -1 ? -1 : label);
            rows.mass[l] = mass;
            rows.mass_lo[l] = 0.0;
            rows.scale[l] = number(kScale, offset + l, 1.0);
            rows.scale_lo[l] = number(kScaleLo, offset + l, 0.0);
            if (job_.op == softjac::Op::cross_entropy && label < 0) rows.label[l] = 0.0;  // such a row is absent
            if (job_.op == softjac::Op::cross_entropy && terms_.class_weight)
                rows.mass[l] = two_double_product(
                    mass, terms_.class_weight[static_cast<std::ptrdiff_t>(rows.label[l])], rows.mass_lo[l]);
        }
    }
    // What smoothing gives to each of `classes` classes of a row.
    void share(LossRows& rows, int l, std::ptrdiff_t classes) const {
        const double K = static_cast<double>(classes);
        const double hi = classes ? terms_.smoothing / K : 0.0;
        rows.share[l] = hi;
        rows.share_lo[l] = classes ? std::fma(-hi, K, terms_.smoothing) / K : 0.0;
    }
    void store(const LossRows& rows, std::ptrdiff_t offset, int count) const {
        for (int l = 0; l < count; ++l) {
            if (at_[kLoss]) std::memcpy(at_[kLoss] + (offset + l) * lane(kLoss), &rows.loss[l], sizeof(double));
            if (at_[kLossLo]) std::memcpy(at_[kLossLo] + (offset + l) * lane(kLossLo), &rows.loss_lo[l], sizeof(double));
        }
    }

  private:
    enum { kLabel, kMass, kScale, kScaleLo, kTargets, kLoss, kLossLo, kAll };
    const softjac::Operand& operand(int i) const {
        const softjac::Operand* const all[kAll] = {&terms_.label,   &terms_.mass, &terms_.scale,  &terms_.scale_lo,
                                                   &terms_.targets, &terms_.loss, &terms_.loss_lo};
        return *all[i];
    }
    std::ptrdiff_t lane(int i) const { return operand(i).batch[job_.dims - 1]; }
    double number(int i, std::ptrdiff_t row, double otherwise) const {
        if (!at_[i]) return otherwise;
        double x;
        std::memcpy(&x, at_[i] + row * lane(i), sizeof x);
        return x;
    }

    const softjac::Job& job_;
    const softjac::LossTerms& terms_;
    char* at_[kAll];
};

// Targets of any type as doubles: of one row in a line, or of up to sixteen rows side by side.
inline void pack_targets(softjac::Type type, const char* p, std::ptrdiff_t core, std::ptrdiff_t n, double* out) {
    switch (type) {
        case softjac::Type::f16: return pack_line<Half>(p, core, n, out);
        case softjac::Type::f32: return pack_line<float>(p, core, n, out);
        default: return pack_line<double>(p, core, n, out);
    }
}
inline void pack_targets_tile(softjac::Type type, const char* p, std::ptrdiff_t core, std::ptrdiff_t lane, int count,
                              std::ptrdiff_t n, double* out) {
    switch (type) {
        case softjac::Type::f16: return pack_tile<Half>(p, core, lane, count, n, out);
        case softjac::Type::f32: return pack_tile<float>(p, core, lane, count, n, out);
        default: return pack_tile<double>(p, core, lane, count, n, out);
    }
}

}  // namespace
