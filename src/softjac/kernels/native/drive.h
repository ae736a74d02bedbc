// Takes the rows of a job to a kernel: sixteen side by side where rows are short or their elements lie far apart, else
// one by one; straight from memory where it has the form that the kernel reads, else through a packed copy.
#pragma once

#include <type_traits>
#include <utility>

#include "job.h"
#include "loss_kernels.h"
#include "loss_source.h"
#include "odd_rows.h"
#include "pack.h"
#include "plan.h"
#include "probs_kernels.h"
#include "row_kernels.h"
#include "stream.h"

namespace {

using softjac::Operand;

template <template <class, class> class Kernel, class X, Op op> class Driver {
    using E = typename ElementOf<X>::type;
    using P = Plan<X, op>;
    static constexpr bool kNative = P::kNative, kScalarResult = P::kScalarResult;
    static constexpr std::ptrdiff_t kItem = P::kItem;
    static constexpr bool kMayCancel = kScalarResult || op == Op::cross_entropy_targets;
    using Family = std::conditional_t<std::is_same_v<E, double>, Wide,
                                      std::conditional_t<kMayCancel, NarrowLong, Narrow>>;
    static constexpr bool kValue = op == Op::cross_entropy || op == Op::cross_entropy_targets;
    static constexpr bool kLoss = kValue || op == Op::cross_entropy_hvp;
    using Loss = std::conditional_t<kLoss, LossSource<X, op>, NoLoss>;

  public:
    static std::ptrdiff_t scratch_bytes(const Job& job) {
        Arena arena(nullptr);
        const typename P::Scratch counted(job, arena);
        const Loss counted_too(job, arena, tiles(job));
        return arena.taken();
    }

    static void rows(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last, char* scratch) {
        Driver d(job, scratch);
        const int inner = job.dims - 1;
        for (std::ptrdiff_t r = first; r < last;) {
            const std::ptrdiff_t run_end = r - r % job.shape[inner] + job.shape[inner];
            const std::ptrdiff_t end = run_end < last ? run_end : last;
            d.seek(r);
            for (; r < end;) {
                const auto count = static_cast<int>(end - r < kLanes ? end - r : kLanes);
                if (const std::ptrdiff_t width = d.panel_width(end - r)) d.panel(width), d.step(width), r += width;
                else if (tiles(job) && count >= kTileFewest) d.tile(count), d.step(count), r += count;
                else d.row(r + 1 < end), d.step(1), ++r;
            }
        }
        d.finish_pending();
        if (job.given_bytes >= kStreamedPanel) stream_fence();
    }

  private:
    // A row that is prepared, and written after the next one is: so no time is lost while its sum and quotient come.
    struct Pending {
        Kernel<Row, Family> kernel;
        Operands<E> io;
    };
    static constexpr bool kNeedsMax = op == Op::softmax || op == Op::softmax_complement || op == Op::log_softmax ||
                                      op == Op::logsumexp || op == Op::cross_entropy;

    const Job& job_;
    const std::ptrdiff_t n_;
    Arena arena_;
    typename P::Scratch scratch_;
    Loss loss_;
    Pending rows_[2];
    int turn_ = 0;
    bool pending_ = false;
    const char* in_[softjac::kMaxInputs];
    const char* mask_;
    char* out_;
    NextMax<E> next_max_;
    std::ptrdiff_t panel_lanes_;

    Driver(const Job& job, char* scratch)
        : job_(job), n_(job.n), arena_(scratch), scratch_(job, arena_), loss_(job, arena_, tiles(job)), panel_lanes_(P::panel_lanes(job)) {}

    void seek(std::ptrdiff_t row) {
        for (int i = 0; i < job_.inputs; ++i) in_[i] = job_.in[i].data + softjac::row_offset(job_, job_.in[i], row);
        out_ = job_.out.data ? job_.out.data + softjac::row_offset(job_, job_.out, row) : nullptr;
        mask_ = job_.mask.data ? job_.mask.data + softjac::row_offset(job_, job_.mask, row) : nullptr;
        loss_.seek(row);
    }
    std::ptrdiff_t lane(const Operand& operand) const { return operand.batch[job_.dims - 1]; }
    void step(std::ptrdiff_t count) {
        for (int i = 0; i < job_.inputs; ++i) in_[i] += count * lane(job_.in[i]);
        if (out_) out_ += count * lane(job_.out);
        if (mask_) mask_ += count * lane(job_.mask);
        loss_.step(count);
    }

    // What a masked-out element is replaced by before the kernel reads it.
    static E absent(int operand) {
        return operand == 0 && !takes_probs(op) ? -std::numeric_limits<E>::infinity() : E(0);
    }

    SOFTJAC_SHARED void row(bool another) {
        Kernel<Row, Family>& kernel = rows_[turn_].kernel;
        Operands<E>& io = rows_[turn_].io;
        io = {};
        io.kept = scratch_.kept;
        if constexpr (kLoss) {
            loss_.bring_row(mask_);
            io.loss = &loss_.operands;
            if (loss_.operands.rows.absent) return leave_out_row();
        }
        bool in_place = kNative && !mask_;
        for (int i = 0; i < job_.inputs; ++i) {
            if (kNative && !mask_ && job_.in[i].core == kItem) {
                io.in[i] = {reinterpret_cast<const E*>(in_[i]), kLanes};
                continue;
            }
            in_place = false;
            pack_line<X>(in_[i], job_.in[i].core, n_, scratch_.packed[i]);
            if (mask_)
                for (std::ptrdiff_t j = 0; j < n_; ++j)
                    if (!mask_[j * job_.mask.core]) scratch_.packed[i][j] = absent(i);
            io.in[i] = {scratch_.packed[i], kLanes};
        }
        const bool direct = kNative && (kScalarResult || job_.out.core == kItem);
        io.out = {direct ? reinterpret_cast<E*>(out_) : scratch_.packed_out, kLanes};
        const bool stream = P::streams(job_) && direct && !kScalarResult && !mask_ && n_ * kItem >= kStaging;
        if (another && in_place) {
            io.next = reinterpret_cast<const E*>(in_[0] + lane(job_.in[0]));
            if (job_.inputs > 1) io.next_tangent = reinterpret_cast<const E*>(in_[1] + lane(job_.in[1]));
        }
        io.fetch_result = direct && !stream;
        next_max_.upcoming = n_ <= kMaxAhead ? io.next : nullptr;
        io.next_max = in_place ? &next_max_ : nullptr;
        if (kernel.prepare(Row{n_}, io) == 0) {
            if (kNeedsMax) find_next_max(Row{n_}, next_max_);
            if constexpr (kValue) loss_.store(0, 1);
            if (!out_) return;
            if (in_place && direct && P::defers(job_)) {
                finish_pending();
                pending_ = true;
                turn_ = 1 - turn_;
                std::swap(scratch_.kept, scratch_.other_kept);
                return;
            }
            if (stream) finish_past_the_cache(kernel, io);
            else kernel.finish(Row{n_}, io);
        } else {
            finish_pending();
            Line<const E> in[softjac::kMaxInputs];
            for (int i = 0; i < job_.inputs; ++i) in[i] = {io.in[i].p, 1};
            if constexpr (kValue) {
                loss_.odd_row(in[0], {out_ ? io.out.p : nullptr, 1}, 0, true, mask_);
                loss_.store(0, 1);
                if (!out_) return;
            } else {
                odd(in, {io.out.p, 1}, 0, mask_ && takers(0) == 0);
            }
        }
        if (mask_ && !kScalarResult)
            for (std::ptrdiff_t j = 0; j < n_; ++j)
                if (!mask_[j * job_.mask.core]) io.out.p[j] = static_cast<E>(neutral(op));
        if (!direct) unpack_line<X>(scratch_.packed_out, out_, job_.out.core, kScalarResult ? 1 : n_);
    }

    // A row that does not count: nothing is read of it.
    void leave_out_row() {
        finish_pending();
        if constexpr (kValue) {
            loss_.operands.rows.loss[0] = loss_.operands.rows.loss_lo[0] = 0.0;
            loss_.store(0, 1);
        }
        for (std::ptrdiff_t j = 0; out_ && j < n_; ++j) narrow(E(0), *reinterpret_cast<X*>(out_ + j * job_.out.core));
    }

    void finish_pending() {
        if (!pending_) return;
        pending_ = false;
        const Pending& row = rows_[1 - turn_];
        row.kernel.finish(Row{n_}, row.io);
    }

    SOFTJAC_SHARED void finish_past_the_cache(const Kernel<Row, Family>& kernel, Operands<E> io) const {
        constexpr std::ptrdiff_t kSegment = kStaging / static_cast<std::ptrdiff_t>(sizeof(E));
        for (std::ptrdiff_t first = 0; first < n_; first += kSegment) {
            const std::ptrdiff_t last = n_ - first < kSegment ? n_ : first + kSegment;
            // So that the element `first` comes to the front. By address: no array begins there.
            io.out.p = reinterpret_cast<E*>(reinterpret_cast<std::uintptr_t>(scratch_.staging) -
                                            static_cast<std::uintptr_t>(first) * sizeof(E));
            kernel.finish(Row{n_}.part(first, last), io);
            stream_copy(out_ + first * kItem, reinterpret_cast<const char*>(scratch_.staging), (last - first) * kItem);
        }
    }

    SOFTJAC_SHARED void tile(int count) {
        Operands<E> io{};
        io.kept = scratch_.kept;
        for (int i = 0; i < job_.inputs; ++i) {
            if (kNative && !mask_ && count == kLanes && lane(job_.in[i]) == kItem && n_ <= kMaxSpread) {
                io.in[i] = {reinterpret_cast<const E*>(in_[i]), job_.in[i].core / kItem};
                continue;
            }
            pack_tile<X>(in_[i], job_.in[i].core, lane(job_.in[i]), count, n_, scratch_.packed[i]);
            if (mask_) each_masked(count, [&](std::ptrdiff_t at) { scratch_.packed[i][at] = absent(i); });
            io.in[i] = {scratch_.packed[i], kLanes};
        }
        const bool direct = kNative && count == kLanes && lane(job_.out) == kItem && out_;
        io.out = View<E>{scratch_.packed_out, kLanes};
        if constexpr (kLoss) {
            loss_.bring_tile(0, count, mask_, lane(job_.mask));
            io.loss = &loss_.operands;
        }
        if (direct) io.out = {reinterpret_cast<E*>(out_), job_.out.core / kItem};
        compute_tile(io, count);
        if constexpr (kValue) loss_.store(0, count);
        if (!out_) return;
        if (mask_ && !kScalarResult)
            each_masked(count, [&](std::ptrdiff_t at) {
                io.out.p[at / kLanes * io.out.step + at % kLanes] = static_cast<E>(neutral(op));
            });
        if (!direct) unpack_tile<X>(scratch_.packed_out, out_, job_.out.core, lane(job_.out), count, kScalarResult ? 1 : n_);
    }

    SOFTJAC_SHARED void compute_tile(Operands<E>& io, int count) {
        Kernel<Tile, Family> kernel;
        unsigned odd_lanes = kernel.prepare(Tile{n_}, io) & ((1u << count) - 1u);
        if constexpr (kLoss) odd_lanes |= loss_.operands.rows.absent;
        if (odd_lanes) {  // the results of the ordinary lanes may stand where the operands of the odd ones did
            for (int i = 0; i < job_.inputs; ++i)
                if (io.in[i].p != scratch_.packed[i]) {
                    const auto apart = io.in[i].step * static_cast<std::ptrdiff_t>(sizeof(E));
                    pack_tile<E>(reinterpret_cast<const char*>(io.in[i].p), apart, sizeof(E), count, n_, scratch_.packed[i]);
                    io.in[i] = {scratch_.packed[i], kLanes};
                }
        }
        if (out_) kernel.finish(Tile{n_}, io);
        for (int l = 0; l < count; ++l)
            if (odd_lanes >> l & 1u) {
                Line<const E> in[softjac::kMaxInputs];
                for (int i = 0; i < job_.inputs; ++i) in[i] = {io.in[i].p + l, kLanes};
                const Line<E> out = {io.out.p + l, kScalarResult ? 1 : io.out.step};
                if constexpr (kValue)
                    loss_.odd_row(in[0], out_ ? out : Line<E>{nullptr, 0}, l, false, mask_ ? mask_ + l * lane(job_.mask) : nullptr);
                else odd(in, out, l, mask_ && takers(l) == 0);
            }
    }

    // How many of the next rows to take as a panel. The first of several ends where a line of the result does.
    std::ptrdiff_t panel_width(std::ptrdiff_t rows_left) const {
        if (panel_lanes_ == 0 || rows_left < kLanes) return 0;
        const auto past_line = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(out_) % 64) / kItem;
        if (rows_left <= panel_lanes_) return rows_left;
        return panel_lanes_ - (panel_lanes_ > kLanes ? past_line : 0);
    }
    SOFTJAC_SHARED void panel(std::ptrdiff_t width) {
        for (int i = 0; i < job_.inputs; ++i) pack_panel(in_[i], job_.in[i].core, width, n_, scratch_.panel[i]);
        for (std::ptrdiff_t at = 0; at < width; at += kLanes) {
            const auto count = static_cast<int>(width - at < kLanes ? width - at : kLanes);
            Operands<E> io{};
            io.kept = scratch_.kept;
            for (int i = 0; i < job_.inputs; ++i) io.in[i] = {scratch_.panel[i] + at, panel_line(width)};
            io.out = {scratch_.panel[0] + at, panel_line(width)};
            if constexpr (kLoss) {
                loss_.bring_tile(at, count, nullptr, 0);
                io.loss = &loss_.operands;
            }
            compute_tile(io, count);
            if constexpr (kValue) loss_.store(at, count);
        }
        if (!out_) return;
        const bool stream = job_.given_bytes >= kStreamedPanel;
        unpack_panel(scratch_.panel[0], out_, job_.out.core, width, kScalarResult ? 1 : n_, stream);
    }

    template <class Body> void each_masked(int count, const Body& body) const {
        for (std::ptrdiff_t j = 0; j < n_; ++j)
            for (int l = 0; l < count; ++l)
                if (!mask_[j * job_.mask.core + l * lane(job_.mask)]) body(j * kLanes + l);
    }
    // How many elements of a row take part.
    std::ptrdiff_t takers(int l) const {
        std::ptrdiff_t count = 0;
        for (std::ptrdiff_t j = 0; j < n_; ++j) count += mask_[j * job_.mask.core + l * lane(job_.mask)] != 0;
        return count;
    }

    // One odd row. Where only its tangents are too large or lie off the support, it is computed once more without them:
    // small enough for the sums, which have terms of 2^128 e^(z - m) times a tangent, and then as they are, or nearly so,
    // for the results, of which none may be lost.
    SOFTJAC_SHARED void odd(const Line<const E>* in, Line<E> out, int l, bool nothing_takes_part) {
        if constexpr (op == Op::cross_entropy_hvp) {
            const LossRows& rows = loss_.operands.rows;
            if (odd_hessian_row(in, out, n_, rows.scale[l], rows.scale_lo[l], rows.absent >> l & 1u)) return;
        }
        if (odd_row(op, in, out, n_, nothing_takes_part)) return;
        if constexpr (tangents_of(op) > 0) {
            int exponent[softjac::kMaxInputs] = {}, for_sums[softjac::kMaxInputs] = {}, for_results[softjac::kMaxInputs] = {};
            for (int i = 1; i < job_.inputs; ++i) exponent[i] = largest_exponent(in, i);
            share_out(exponent, 840, for_sums);
            share_out(exponent, 1015 - std::ilogb(static_cast<double>(n_)), for_results);
            Operands<E> io{};
            io.kept = scratch_.kept;
            LossOperands<E> own;
            if constexpr (kLoss) {
                own.rows.take_lane(loss_.operands.rows, l);
                own.z_loss = loss_.operands.z_loss;
                io.loss = &own;
            }
            double back[softjac::kMaxInputs] = {};
            int total = 0;
            for (int i = 0; i < job_.inputs; ++i) {
                io.in[i] = {copy_of(in, i, for_sums[i]), kLanes};
                back[i] = std::ldexp(1.0, for_sums[i] - for_results[i]);
                total += for_results[i];
            }
            Kernel<Row, std::conditional_t<std::is_same_v<Family, Wide>, WideLarge, Family>> kernel;
            kernel.prepare(Row{n_}, io);
            kernel.rescale(back);
            for (int i = 1; i < job_.inputs; ++i) copy_of(in, i, for_results[i]);
            E* const result = scratch_.clean[0];  // an element is read before it is written
            io.out = {result, kLanes};
            kernel.finish(Row{n_}, io);
            for (std::ptrdiff_t j = 0; j < n_; ++j)
                out[j] = total ? static_cast<E>(std::ldexp(result[j], total)) : result[j];
        }
    }
    // Of the elements that count.
    int largest_exponent(const Line<const E>* in, int i) const {
        int largest = 0;
        for (std::ptrdiff_t j = 0; j < n_; ++j)
            if (in_support(op, in[0][j]) && std::fabs(in[i][j]) > E(0)) {
                const int own = std::ilogb(static_cast<double>(in[i][j]));
                largest = own > largest ? own : largest;
            }
        return largest;
    }
    // By how many powers of two each tangent is divided, so that each alone and all together stay below 2^most.
    void share_out(const int* exponent, int most, int* divided) const {
        int together = 0;
        for (int i = 1; i < job_.inputs; ++i) {
            divided[i] = exponent[i] > most ? exponent[i] - most : 0;
            together += exponent[i] - divided[i];
        }
        for (int i = 1; i < job_.inputs && together > most; ++i)
            divided[i] += (together - most) / tangents_of(op) + 1;
    }
    E* copy_of(const Line<const E>* in, int i, int divided) const {
        E* const copy = scratch_.clean[i];
        for (std::ptrdiff_t j = 0; j < n_; ++j) {
            const E x = i == 0 || in_support(op, in[0][j]) ? in[i][j] : E(0);
            copy[j] = divided ? static_cast<E>(std::ldexp(x, -divided)) : x;
        }
        return copy;
    }
};

}  // namespace
