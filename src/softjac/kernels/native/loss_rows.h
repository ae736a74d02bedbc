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
    double omega[kLanes];                    // of the loss
    std::ptrdiff_t place[kLanes];            // the label, or 0 without one: what may be read
    double loss[kLanes], loss_lo[kLanes];
    unsigned absent = 0;                     // lanes of rows that do not count

    // What is read, in every lane after `count` as in lane 0.
    void fill_up(int count) {
        for (const auto field : kRead)
            for (int l = count; l < kLanes; ++l) (this->*field)[l] = (this->*field)[0];
        for (int l = count; l < kLanes; ++l) place[l] = place[0];
    }
    // Lane l of other rows as lane 0.
    void take_lane(const LossRows& from, int l) {
        for (const auto field : kRead) (this->*field)[0] = (from.*field)[l];
        place[0] = from.place[l];
        absent = from.absent >> l & 1u;
    }

  private:
    static constexpr double (LossRows::*const kRead[])[kLanes] = {
        &LossRows::label,    &LossRows::mass,  &LossRows::mass_lo,  &LossRows::scale,
        &LossRows::scale_lo, &LossRows::share, &LossRows::share_lo, &LossRows::omega,
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

// The element of an operand that stands where the label is.
template <class E> SOFTJAC_INLINE F16 at_label(const Row&, const LossRows& rows, View<const E> v) {
    return set1<F16>(static_cast<double>(v.p[rows.place[0]]));
}
template <class E> SOFTJAC_INLINE F16 at_label(const Tile&, const LossRows& rows, View<const E> v) {
    double lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = v.p[rows.place[i] * v.step + i];
    return loadu<F16>(lanes);
}

// Reads the numbers of `count` rows, of which the first is `offset` rows of the innermost dimension further on.
class LossReader {
  public:
    explicit LossReader(const softjac::Job& job) : job_(job), terms_(job.loss) {}

    // What is the same for all rows is brought once.
    void start(LossRows& rows) {
        for (int l = 0; l < kLanes; ++l) {
            rows.mass[l] = rows.omega[l] = 1.0;
            rows.mass_lo[l] = rows.share[l] = rows.share_lo[l] = rows.loss_lo[l] = 0.0;
            rows.scale[l] = terms_.scale.data ? read<double>(terms_.scale.data) : 1.0;
            rows.scale_lo[l] = terms_.scale_lo.data ? read<double>(terms_.scale_lo.data) : 0.0;
        }
        for (int d = 0; d < job_.dims; ++d)
            scales_differ_ = scales_differ_ || (terms_.scale.data && terms_.scale.batch[d] != 0) ||
                             (terms_.scale_lo.data && terms_.scale_lo.batch[d] != 0);
    }
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

    void load(LossRows& rows, std::ptrdiff_t offset, int count) const {
        rows.absent = 0;
        if (scales_differ_)
            for (int l = 0; l < count; ++l) {
                rows.scale[l] = number(kScale, offset + l, 1.0);
                rows.scale_lo[l] = number(kScaleLo, offset + l, 0.0);
            }
        if (job_.op == softjac::Op::cross_entropy_hvp) {
            for (int l = 0; l < count; ++l) {
                rows.label[l] = -1.0;
                rows.place[l] = 0;
                rows.absent |= (rows.scale[l] == 0.0 && rows.scale_lo[l] == 0.0 ? 1u : 0u) << l;
            }
            return;
        }
        const char* const labels = at_[kLabel] + offset * lane(kLabel);
        const std::ptrdiff_t apart = lane(kLabel);
        std::int64_t label[kLanes], least = 0;
        if (apart == sizeof(std::int64_t)) std::memcpy(label, labels, static_cast<std::size_t>(count) * sizeof *label);
        else for (int l = 0; l < count; ++l) label[l] = read<std::int64_t>(labels + l * apart);
        for (int l = 0; l < count; ++l) {
            least = label[l] < least ? label[l] : least;
            rows.place[l] = label[l] < 0 ? 0 : label[l];
            rows.label[l] = label[l] < 0 ? -1.0 : static_cast<double>(label[l]);
        }
        for (int l = 0; least < -1 && l < count; ++l) rows.absent |= (label[l] < -1 ? 1u : 0u) << l;
        if (at_[kOmega])
            for (int l = 0; l < count; ++l) rows.omega[l] = number(kOmega, offset + l, 1.0);
        if (at_[kMass] || (terms_.class_weight && job_.op == softjac::Op::cross_entropy)) masses(rows, offset, count);
    }
    // What smoothing gives to each of `classes` classes of a row.
    void share(LossRows& rows, int l, std::ptrdiff_t classes) const {
        const double K = static_cast<double>(classes);
        const double hi = classes ? terms_.smoothing / K : 0.0;
        rows.share[l] = hi;
        rows.share_lo[l] = classes ? std::fma(-hi, K, terms_.smoothing) / K : 0.0;
    }
    void store(const LossRows& rows, std::ptrdiff_t offset, int count) const {
        store(kLoss, rows.loss, offset, count);
        store(kLossLo, rows.loss_lo, offset, count);
    }

  private:
    // Of cross_entropy, times the weight of the class.
    void masses(LossRows& rows, std::ptrdiff_t offset, int count) const {
        const bool weighted = terms_.class_weight && job_.op == softjac::Op::cross_entropy;
        for (int l = 0; l < count; ++l) {
            const double mass = number(kMass, offset + l, 1.0);
            const double weight = weighted ? terms_.class_weight[rows.place[l]] : 1.0;
            rows.mass[l] = mass * weight;
            rows.mass_lo[l] = weighted ? std::fma(mass, weight, -rows.mass[l]) : 0.0;
        }
    }

    void store(int i, const double* x, std::ptrdiff_t offset, int count) const {
        if (!at_[i]) return;
        constexpr std::ptrdiff_t item = sizeof(double);
        char* const to = at_[i] + offset * lane(i);
        if (lane(i) == item) std::memcpy(to, x, static_cast<std::size_t>(count * item));
        else for (int l = 0; l < count; ++l) std::memcpy(to + l * lane(i), x + l, item);
    }

    enum { kLabel, kMass, kScale, kScaleLo, kOmega, kTargets, kLoss, kLossLo, kAll };
    const softjac::Operand& operand(int i) const {
        const softjac::Operand* const all[kAll] = {&terms_.label, &terms_.mass,    &terms_.scale, &terms_.scale_lo,
                                                   &terms_.omega, &terms_.targets, &terms_.loss,  &terms_.loss_lo};
        return *all[i];
    }
    std::ptrdiff_t lane(int i) const { return operand(i).batch[job_.dims - 1]; }
    double number(int i, std::ptrdiff_t row, double otherwise) const {
        return at_[i] ? read<double>(at_[i] + row * lane(i)) : otherwise;
    }

    const softjac::Job& job_;
    const softjac::LossTerms& terms_;
    char* at_[kAll];
    bool scales_differ_ = false;
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
