// Takes the rows of a job to a kernel: sixteen side by side where rows are short or their elements lie far apart, else
// one by one; straight from memory where it has the form that the kernel reads, else through a packed copy.
#pragma once

#include <type_traits>

#include "job.h"
#include "odd_rows.h"
#include "pack.h"
#include "row_kernels.h"

namespace {

using softjac::Job;
using softjac::Operand;

constexpr std::ptrdiff_t kTileContiguous = 48;   // longest row of adjacent elements that is served by a tile
constexpr std::ptrdiff_t kTileStrided = 65536;   // the same for elements that lie apart: bounds the scratch memory
constexpr std::ptrdiff_t kMaxAhead = 4096;       // longest row whose maximum is found before its turn
constexpr std::ptrdiff_t kMaxSpread = 32;        // longest strided row that is read where it lies: the cache holds few lines a stride apart
constexpr int kTileFewest = 3;                   // fewer rows than this go one by one

inline std::ptrdiff_t blocks_of(std::ptrdiff_t n) { return (n + kLanes - 1) / kLanes; }

inline bool tiles(const Job& job) {
    const auto item = static_cast<std::ptrdiff_t>(softjac::item_size(job.type));
    return job.rows >= kTileFewest && job.n <= (job.in[0].core == item ? kTileContiguous : kTileStrided);
}

template <template <class, class> class Kernel, class X, Op op> class Driver {
    using E = typename ElementOf<X>::type;
    static constexpr bool kNative = std::is_same_v<E, X>;
    static constexpr bool kScalarResult = op == Op::logsumexp;
    using Family = std::conditional_t<std::is_same_v<E, double>, Wide,
                                      std::conditional_t<kScalarResult, NarrowLong, Narrow>>;

  public:
    static std::ptrdiff_t scratch_bytes(const Job& job) {
        const std::ptrdiff_t width = tiles(job) ? job.n * kLanes : blocks_of(job.n) * kLanes;
        const std::ptrdiff_t line = blocks_of(job.n) * kLanes;
        std::ptrdiff_t bytes = Arena::padded(width * 8) + Arena::padded(width * 4);          // kept hi, lo
        bytes += (job.inputs + 1) * Arena::padded(width * static_cast<std::ptrdiff_t>(sizeof(E)));   // packed
        bytes += (job.inputs + 1) * Arena::padded(line * static_cast<std::ptrdiff_t>(sizeof(E)));  // odd rows
        return bytes;
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
                if (tiles(job) && count >= kTileFewest) d.tile(count), d.step(count), r += count;
                else d.row(r + 1 < end), d.step(1), ++r;
            }
        }
    }

  private:
    const Job& job_;
    const std::ptrdiff_t n_;
    Kept kept_;
    E* packed_[softjac::kMaxInputs];
    E* packed_out_;
    E* clean_[softjac::kMaxInputs];
    E* line_out_;
    const char* in_[softjac::kMaxInputs];
    const char* mask_;
    char* out_;
    NextMax<E> next_max_;

    Driver(const Job& job, char* scratch) : job_(job), n_(job.n) {
        const std::ptrdiff_t width = tiles(job) ? n_ * kLanes : blocks_of(n_) * kLanes;
        const std::ptrdiff_t line = blocks_of(n_) * kLanes;
        Arena arena(scratch);
        kept_ = {arena.take<double>(width), arena.take<std::uint32_t>(width)};
        packed_out_ = arena.take<E>(width);
        for (int i = 0; i < job.inputs; ++i) packed_[i] = arena.take<E>(width);
        line_out_ = arena.take<E>(line);
        for (int i = 0; i < job.inputs; ++i) clean_[i] = arena.take<E>(line);
    }

    void seek(std::ptrdiff_t row) {
        for (int i = 0; i < job_.inputs; ++i) in_[i] = job_.in[i].data + softjac::row_offset(job_, job_.in[i], row);
        out_ = job_.out.data + softjac::row_offset(job_, job_.out, row);
        mask_ = job_.mask.data ? job_.mask.data + softjac::row_offset(job_, job_.mask, row) : nullptr;
    }
    std::ptrdiff_t lane(const Operand& operand) const { return operand.batch[job_.dims - 1]; }
    void step(std::ptrdiff_t count) {
        for (int i = 0; i < job_.inputs; ++i) in_[i] += count * lane(job_.in[i]);
        out_ += count * lane(job_.out);
        if (mask_) mask_ += count * lane(job_.mask);
    }

    static constexpr std::ptrdiff_t kItem = sizeof(X);
    // What a masked-out element is replaced by before the kernel reads it.
    static E absent(int operand) {
        return operand == 0 && !takes_probs(op) ? -std::numeric_limits<E>::infinity() : E(0);
    }

    SOFTJAC_SHARED void row(bool another) {
        Operands<E> io{};
        io.kept = kept_;
        io.ahead = lane(job_.in[0]);
        for (int i = 0; i < job_.inputs; ++i) {
            if (kNative && !mask_ && job_.in[i].core == kItem) {
                io.in[i] = {reinterpret_cast<const E*>(in_[i]), kLanes};
                continue;
            }
            pack_line<X>(in_[i], job_.in[i].core, n_, packed_[i]);
            if (mask_)
                for (std::ptrdiff_t j = 0; j < n_; ++j)
                    if (!mask_[j * job_.mask.core]) packed_[i][j] = absent(i);
            io.in[i] = {packed_[i], kLanes};
        }
        const bool direct = kNative && (kScalarResult || job_.out.core == kItem);
        io.out = {direct ? reinterpret_cast<E*>(out_) : packed_out_, kLanes};
        const bool in_place = kNative && !mask_ && job_.in[0].core == kItem;
        next_max_.upcoming = another && in_place && n_ <= kMaxAhead
                                 ? reinterpret_cast<const E*>(in_[0] + lane(job_.in[0])) : nullptr;
        io.next_max = in_place ? &next_max_ : nullptr;
        Kernel<Row, Family> kernel;
        if (kernel.prepare(Row{n_}, io) == 0) {
            kernel.finish(Row{n_}, io);
        } else {
            Line<const E> in[softjac::kMaxInputs];
            for (int i = 0; i < job_.inputs; ++i) in[i] = {io.in[i].p, 1};
            odd(in, {io.out.p, 1}, mask_ && takers(0) == 0);
        }
        if (mask_ && !kScalarResult)
            for (std::ptrdiff_t j = 0; j < n_; ++j)
                if (!mask_[j * job_.mask.core]) io.out.p[j] = static_cast<E>(neutral(op));
        if (!direct) unpack_line<X>(packed_out_, out_, job_.out.core, kScalarResult ? 1 : n_);
    }

    SOFTJAC_SHARED void tile(int count) {
        Operands<E> io{};
        io.kept = kept_;
        for (int i = 0; i < job_.inputs; ++i) {
            if (kNative && !mask_ && count == kLanes && lane(job_.in[i]) == kItem && n_ <= kMaxSpread) {
                io.in[i] = {reinterpret_cast<const E*>(in_[i]), job_.in[i].core / kItem};
                continue;
            }
            pack_tile<X>(in_[i], job_.in[i].core, lane(job_.in[i]), count, n_, packed_[i]);
            if (mask_) each_masked(count, [&](std::ptrdiff_t at) { packed_[i][at] = absent(i); });
            io.in[i] = {packed_[i], kLanes};
        }
        const bool direct = kNative && count == kLanes && lane(job_.out) == kItem;
        io.out = direct ? View<E>{reinterpret_cast<E*>(out_), job_.out.core / kItem} : View<E>{packed_out_, kLanes};
        Kernel<Tile, Family> kernel;
        const unsigned odd_lanes = kernel.prepare(Tile{n_}, io) & ((1u << count) - 1u);
        if (odd_lanes) {  // the results of the ordinary lanes may stand where the operands of the odd ones did
            for (int i = 0; i < job_.inputs; ++i)
                if (io.in[i].p != packed_[i]) {
                    pack_tile<E>(in_[i], job_.in[i].core, lane(job_.in[i]), count, n_, packed_[i]);
                    io.in[i] = {packed_[i], kLanes};
                }
        }
        kernel.finish(Tile{n_}, io);
        for (int l = 0; l < count; ++l)
            if (odd_lanes >> l & 1u) {
                Line<const E> in[softjac::kMaxInputs];
                for (int i = 0; i < job_.inputs; ++i) in[i] = {io.in[i].p + l, kLanes};
                odd(in, {io.out.p + l, kScalarResult ? 1 : io.out.step}, mask_ && takers(l) == 0);
            }
        if (mask_ && !kScalarResult)
            each_masked(count, [&](std::ptrdiff_t at) {
                io.out.p[at / kLanes * io.out.step + at % kLanes] = static_cast<E>(neutral(op));
            });
        if (!direct) unpack_tile<X>(packed_out_, out_, job_.out.core, lane(job_.out), count, kScalarResult ? 1 : n_);
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

    // One odd row. Where only its tangents are too large or lie off the support, it is computed once more without them.
    SOFTJAC_SHARED void odd(const Line<const E>* in, Line<E> out, bool nothing_takes_part) {
        if (odd_row(op, in, out, n_, nothing_takes_part)) return;
        Operands<E> io{};
        io.kept = kept_;
        int exponent = 0;
        for (int i = 0; i < job_.inputs; ++i) {
            int scale = 0;
            for (std::ptrdiff_t j = 0; j < n_; ++j) {
                const bool counts = i == 0 || in_support(op, in[0][j]);
                clean_[i][j] = counts ? in[i][j] : E(0);
                if (i > 0 && counts && std::fabs(in[i][j]) > E(0)) {
                    const int own = std::ilogb(static_cast<double>(in[i][j]));
                    if (own - 400 > scale) scale = own - 400;
                }
            }
            if (scale > 0)
                for (std::ptrdiff_t j = 0; j < n_; ++j) clean_[i][j] = static_cast<E>(std::ldexp(clean_[i][j], -scale));
            exponent += scale;
            io.in[i] = {clean_[i], kLanes};
        }
        io.out = {line_out_, kLanes};
        Kernel<Row, Family> kernel;
        kernel.prepare(Row{n_}, io);
        kernel.finish(Row{n_}, io);
        for (std::ptrdiff_t j = 0; j < n_; ++j)
            out[j] = exponent ? static_cast<E>(std::ldexp(line_out_[j], exponent)) : line_out_[j];
    }
};

}  // namespace
