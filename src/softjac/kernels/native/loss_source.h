// Brings the kernels of cross-entropy what belongs to their rows beside the logits: labels, targets, weights, factors.
#pragma once

#include "odd_losses.h"

namespace {

// Of the driver of one thread. A mask takes the place of the weights: those of what is masked out are 0.
template <class X, Op op> class LossSource {
    using E = typename ElementOf<X>::type;
    static constexpr bool kTargets = op == Op::cross_entropy_targets;

  public:
    LossOperands<E> operands;

    LossSource(const softjac::Job& job, Arena& arena, bool tiles)
        : job_(job), n_(job.n), reader_(job),
          targets_(arena.take<double>(packs_targets(job, tiles) ? width(job, tiles) : 0)),
          weights_(arena.take<double>(kTargets && job.mask.data ? width(job, tiles) : 0)) {
        operands.z_loss = job.loss.z_loss;
        if (!kTargets) return;
        operands.views.kept_share = 1.0 - job.loss.smoothing;
        operands.views.kept_share_lo = (1.0 - operands.views.kept_share) - job.loss.smoothing;
    }

    void seek(std::ptrdiff_t row) { reader_.seek(row); }
    void step(std::ptrdiff_t count) { reader_.step(count); }

    // mask: that of the row, or null.
    void bring_row(const char* mask) {
        reader_.load(operands.rows, 0, 1);
        if (!kTargets) return;
        TargetViews<E>& views = operands.views;
        views.wide = views.weights = {nullptr, 0};  // those of a tile before
        if (const char* const targets = reader_.targets()) {
            const std::ptrdiff_t core = job_.loss.targets.core;
            if (packs_targets(job_, false)) {
                pack_targets(job_.loss.targets_type, targets, core, n_, targets_);
                views.wide = {targets_, kLanes};
            } else {
                views.own = {reinterpret_cast<const E*>(targets), kLanes};
            }
        }
        const double* const weights = job_.loss.class_weight;
        if (weights) views.weights = {weights, kLanes};
        std::ptrdiff_t takers = n_;
        if (mask) {
            takers = 0;
            for (std::ptrdiff_t j = 0; j < n_; ++j) {
                const bool part = mask[j * job_.mask.core];
                takers += part;
                weights_[j] = !part ? 0.0 : weights ? weights[j] : 1.0;
                if (!part && views.wide.p) targets_[j] = 0.0;
            }
            views.weights = {weights_, kLanes};
        }
        reader_.share(operands.rows, 0, takers);
    }

    // offset: the first row, from where the driver stands. mask: that of the first row, or null; lane: its stride.
    void bring_tile(std::ptrdiff_t offset, int count, const char* mask, std::ptrdiff_t lane) {
        LossRows& rows = operands.rows;
        reader_.load(rows, offset, count);
        if (kTargets) {
            TargetViews<E>& views = operands.views;
            views.own = {nullptr, 0};
            if (reader_.targets()) {
                pack_targets_tile(job_.loss.targets_type, reader_.targets() + offset * reader_.targets_lane(),
                                  job_.loss.targets.core, reader_.targets_lane(), count, n_, targets_);
                views.wide = {targets_, kLanes};
            }
            const double* const weights = job_.loss.class_weight;
            if (weights) views.weights = {weights, 0};
            for (int l = 0; l < count; ++l) {
                std::ptrdiff_t takers = mask ? 0 : n_;
                for (std::ptrdiff_t j = 0; mask && j < n_; ++j) {
                    const bool part = mask[j * job_.mask.core + l * lane];
                    takers += part;
                    weights_[j * kLanes + l] = !part ? 0.0 : weights ? weights[j] : 1.0;
                    if (!part && views.wide.p) targets_[j * kLanes + l] = 0.0;
                }
                reader_.share(rows, l, takers);
            }
            if (mask) {
                views.weights = {weights_, kLanes};
                for (std::ptrdiff_t j = 0; j < n_; ++j)
                    for (int l = count; l < kLanes; ++l) weights_[j * kLanes + l] = weights_[j * kLanes];
            }
        }
        rows.fill_up(count);
    }

    void store(std::ptrdiff_t offset, int count) const { reader_.store(operands.rows, offset, count); }

    // Rows that do not count, and rows that are odd: the result of lane l, or of the Row with is_row.
    void odd_row(Line<const E> z, Line<E> out, int l, bool is_row, const char* mask) {
        LossRows& rows = operands.rows;
        if (rows.absent >> l & 1u) {
            if (out.p) fill(out, n_, 0.0);
            rows.loss[l] = rows.loss_lo[l] = 0.0;
            return;
        }
        LossRows own;
        own.take_lane(rows, l);
        const Part part{mask, job_.mask.core};
        if (kTargets) odd_loss_row(z, part, TargetLine<E>{operands.views, own, l, is_row}, operands.z_loss, own, out, n_);
        else odd_loss_row(z, part, LabelLine{own}, operands.z_loss, own, out, n_);
        rows.loss[l] = own.loss[0];
        rows.loss_lo[l] = own.loss_lo[0];
    }

  private:
    // Where a row of targets cannot be read as it lies.
    static bool packs_targets(const softjac::Job& job, bool tiles) {
        const softjac::LossTerms& terms = job.loss;
        if (!kTargets || !terms.targets.data) return false;
        return tiles || job.mask.data || terms.targets_type != job.type || !std::is_same_v<E, X> ||
               terms.targets.core != static_cast<std::ptrdiff_t>(sizeof(E));
    }
    static std::ptrdiff_t width(const softjac::Job& job, bool tiles) {
        return tiles ? job.n * kLanes : (job.n + kLanes - 1) / kLanes * kLanes;
    }

    const softjac::Job& job_;
    const std::ptrdiff_t n_;
    LossReader reader_;
    double* const targets_;
    double* const weights_;
};

// In place of it where there is no loss.
struct NoLoss {
    NoLoss(const softjac::Job&, Arena&, bool) {}
    static void seek(std::ptrdiff_t) {}
    static void step(std::ptrdiff_t) {}
};

}  // namespace
