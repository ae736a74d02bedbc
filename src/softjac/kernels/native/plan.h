// How the rows of a job are taken to a kernel, and the memory that it takes.
#pragma once

#include <type_traits>

#include "families.h"
#include "job.h"
#include "pack.h"

namespace {

using softjac::Job;
using softjac::Op;

constexpr std::ptrdiff_t kTileContiguous = 48;   // longest row of adjacent elements that is served by a tile
constexpr std::ptrdiff_t kTileStrided = 65536;   // the same for elements that lie apart: bounds the scratch memory
constexpr std::ptrdiff_t kMaxAhead = 4096;       // longest row whose maximum is found before its turn
// Longest strided row that is read where it lies: the cache holds few lines a stride apart.
constexpr std::ptrdiff_t kMaxSpread = 32;
constexpr std::ptrdiff_t kMaxPanel = 1024;         // rows that are brought in together where their elements lie apart
constexpr std::ptrdiff_t kPanelBytes = 5 << 18;  // memory for them and for what is kept of a tile: a part of the second cache
constexpr int kTileFewest = 3;                   // fewer rows than this go one by one

constexpr std::ptrdiff_t kMaxPending = 512;      // longest row that is finished after the next one is prepared
// Results of so many bytes go past the caches, which they would only fill; at places that lie apart even smaller ones do.
constexpr std::ptrdiff_t kStreamed = 24 << 20;
constexpr std::ptrdiff_t kStreamedPanel = 4 << 20;
constexpr std::ptrdiff_t kStaging = 8192;        // bytes of a result that are written past the cache together

inline std::ptrdiff_t blocks_of(std::ptrdiff_t n) { return (n + kLanes - 1) / kLanes; }

inline bool tiles(const Job& job) {
    const auto item = static_cast<std::ptrdiff_t>(softjac::item_size(job.type));
    return job.rows >= kTileFewest && job.n <= (job.in[0].core == item ? kTileContiguous : kTileStrided);
}

// For rows of X. kScalarResult: one result a row.
template <class X, Op op> struct Plan {
    using E = typename ElementOf<X>::type;
    static constexpr bool kNative = std::is_same_v<E, X>;
    static constexpr bool kScalarResult = op == Op::logsumexp;
    static constexpr std::ptrdiff_t kItem = sizeof(X);

    // Whether a row is written after the next one is prepared.
    static bool defers(const Job& job) {
        return kNative && !kScalarResult && op != Op::cross_entropy_targets && job.out.data && !job.mask.data &&
               !tiles(job) && !streams(job) && job.n <= kMaxPending;
    }

    static bool streams(const Job& job) { return kNative && !kScalarResult && job.given_bytes >= kStreamed; }

    // Whether rows may have to be copied, to stand side by side or without what is masked out.
    static bool packs(const Job& job) {
        bool as_it_is = kNative && !tiles(job) && !job.mask.data && (kScalarResult || job.out.core == kItem);
        for (int i = 0; i < job.inputs; ++i) as_it_is = as_it_is && job.in[i].core == kItem;
        return !as_it_is;
    }

    // What the memory of a thread is used for. It is kept small: the system has to clear new memory, and what is small
    // enough is not new the next time.
    struct Scratch {
        Kept kept, other_kept;               // of a row or a tile, and of one that is pending
        E* packed[softjac::kMaxInputs];
        E* packed_out;
        E* clean[softjac::kMaxInputs];       // an odd row without what does not count
        E* panel[softjac::kMaxInputs];
        E* staging;

        Scratch(const Job& job, Arena& arena) {
            const std::ptrdiff_t line = blocks_of(job.n) * kLanes;
            const std::ptrdiff_t width = tiles(job) ? job.n * kLanes : line;
            kept = take_kept(arena, width);
            other_kept = take_kept(arena, defers(job) ? width : 0);
            packed_out = arena.take<E>(packs(job) ? width : 0);
            for (int i = 0; i < job.inputs; ++i) {
                packed[i] = arena.take<E>(packs(job) ? width : 0);
                clean[i] = arena.take<E>(job.inputs > 1 ? line : 0);
                panel[i] = arena.take<E>(job.n * panel_lanes(job));
            }
            staging = arena.take<E>(streams(job) ? kStaging / static_cast<std::ptrdiff_t>(sizeof(E)) : 0);
        }
        static Kept take_kept(Arena& arena, std::ptrdiff_t width) {
            return {arena.take<double>(width), arena.take<std::uint32_t>(std::is_same_v<E, double> ? width : 0)};
        }
    };

    // Long rows whose elements lie apart, but those of neighbouring rows side by side, are brought in by several tiles at
    // once: memory works by lines and pages, and a tile takes but one line of a page.
    static std::ptrdiff_t panel_lanes(const Job& job) {
        if (!kNative || job.mask.data || !tiles(job) || job.n <= kMaxSpread || op == Op::cross_entropy_targets) return 0;
        const int inner = job.dims - 1;
        for (int i = 0; i < job.inputs; ++i)
            if (job.in[i].batch[inner] != kItem || job.in[i].core == kItem) return 0;
        if (job.out.batch[inner] != kItem) return 0;
        const std::ptrdiff_t kept = job.n * kLanes * 12;
        const std::ptrdiff_t fitting = (kPanelBytes - kept) / (job.n * kItem) / kLanes * kLanes;
        return fitting < kLanes ? 0 : fitting > kMaxPanel ? kMaxPanel : fitting;
    }
};

}  // namespace
