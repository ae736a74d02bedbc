// How the elements of a row meet the sixteen lanes. Row: one row, lanes are sixteen consecutive elements. Tile: sixteen
// rows side by side, a lane is a row. A kernel is written once for both. Lane l of a Row adds up the elements j with
// j % 16 == l; a Tile keeps sixteen such sums for each of its rows; the two merge them along the same tree, so a row has
// the same bits in either.
#pragma once

#include <cstddef>
#include <cstring>

#include "twofold.h"

namespace {

constexpr double kInf = __builtin_huge_val();

// Sixteen elements from p + b * step are block b.
template <class E> struct View {
    E* p;
    std::ptrdiff_t step;
};

struct FullBlock {
    std::ptrdiff_t b;
};
struct PartBlock {
    std::ptrdiff_t b;
    int count;
};

template <class E> SOFTJAC_INLINE F16 load(View<const E> x, FullBlock at, double) {
    return loadu<F16>(x.p + at.b * x.step);
}
template <class E> SOFTJAC_INLINE F16 load(View<const E> x, PartBlock at, double fill) {
    return load_part(x.p + at.b * x.step, at.count, fill);
}
template <class E> SOFTJAC_INLINE void store(View<E> x, FullBlock at, const F16& a) {
    storeu(x.p + at.b * x.step, a);
}
template <class E> SOFTJAC_INLINE void store(View<E> x, PartBlock at, const F16& a) {
    store_part(x.p + at.b * x.step, a, at.count);
}

// The value that all lanes of a Row share, as one double; in a Tile every lane has its own.
SOFTJAC_INLINE F1 first_lane(const F16& a) {
    double lanes[kLanes];
    storeu(lanes, a);
    return {lanes[0]};
}

struct Row {
    explicit Row(std::ptrdiff_t length) : n(length), first(0), last(length) {}
    Row part(std::ptrdiff_t from, std::ptrdiff_t to) const {
        Row result = *this;
        result.first = from;
        result.last = to;
        return result;
    }
    std::ptrdiff_t n;
    std::ptrdiff_t first, last;  // the elements that a pass is over: from a multiple of sixteen to such a one or to n
    std::ptrdiff_t blocks() const { return (n + kLanes - 1) / kLanes; }
};
struct Tile {
    std::ptrdiff_t n;
    std::ptrdiff_t blocks() const { return n; }
};

template <class Body> SOFTJAC_INLINE void each_block(const Row& mode, const Body& body) {
    const std::ptrdiff_t full = mode.last / kLanes;
    for (std::ptrdiff_t b = mode.first / kLanes; b < full; ++b) body(FullBlock{b});
    if (const int rest = static_cast<int>(mode.last % kLanes)) body(PartBlock{full, rest});
}
template <class Body> SOFTJAC_INLINE void each_block(const Tile& mode, const Body& body) {
    for (std::ptrdiff_t b = 0; b < mode.n; ++b) body(FullBlock{b});
}

// A register's worth of elements in their own type: the maximum needs no wider one.
template <class E> struct Native {
    typedef E V __attribute__((vector_size(64)));
    static constexpr std::ptrdiff_t kWidth = 64 / sizeof(E);
    static SOFTJAC_INLINE V load(const E* p) {
        V x;
        std::memcpy(&x, p, sizeof x);
        return x;
    }
    static SOFTJAC_INLINE V larger(V a, V b) { return b > a ? b : a; }
    static SOFTJAC_INLINE E largest(V a) {
        if constexpr (kWidth == 16) {
            a = larger(a, __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
            a = larger(a, __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
            a = larger(a, __builtin_shufflevector(a, a, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
        } else {
            a = larger(a, __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3));
            a = larger(a, __builtin_shufflevector(a, a, 2, 3, 0, 1, 2, 3, 0, 1));
        }
        return a[1] > a[0] ? a[1] : a[0];
    }
};

// The largest element of each row, in every lane of a Row. A NaN is passed over: the sums will show it.
template <class E> SOFTJAC_INLINE F16 find_max(const Row& mode, View<const E> z) {
    using N = Native<E>;
    const E* const p = z.p;
    const std::ptrdiff_t n = mode.n;
    typename N::V best[4];
    for (auto& b : best) b = typename N::V{} - static_cast<E>(kInf);
    std::ptrdiff_t at = 0;
    for (; at + 4 * N::kWidth <= n; at += 4 * N::kWidth)
        for (int i = 0; i < 4; ++i) best[i] = N::larger(best[i], N::load(p + at + i * N::kWidth));
    for (; at + N::kWidth <= n; at += N::kWidth) best[0] = N::larger(best[0], N::load(p + at));
    if (at < n) {
        if (n >= N::kWidth) {  // the last elements, some of them once more
            best[0] = N::larger(best[0], N::load(p + n - N::kWidth));
        } else {
            E lane[N::kWidth];
            for (std::ptrdiff_t i = 0; i < N::kWidth; ++i) lane[i] = i < n ? p[i] : static_cast<E>(-kInf);
            best[0] = N::larger(best[0], N::load(lane));
        }
    }
    return set1<F16>(static_cast<double>(
        N::largest(N::larger(N::larger(best[0], best[1]), N::larger(best[2], best[3])))));
}
template <class E> SOFTJAC_INLINE F16 find_max(const Tile& mode, View<const E> z) {
    F16 max = set1<F16>(-kInf);
    for (std::ptrdiff_t b = 0; b < mode.n; ++b) {
        const F16 x = load(z, FullBlock{b}, 0.0);
        max = select(lt(max, x), x, max);
    }
    return max;
}

// The largest element of each row and its first index.
template <class Mode> struct Peak;
template <> struct Peak<Row> {
    F16 max;
    std::ptrdiff_t index;
};
template <> struct Peak<Tile> {
    F16 max;
    F16 index;
};

constexpr std::ptrdiff_t kSearched = 4096;  // elements of a row that are looked through once more for the first maximum

template <class E> SOFTJAC_SHARED Peak<Row> find_peak(const Row& mode, View<const E> z) {
    double best = -kInf;
    std::ptrdiff_t from = 0;
    for (std::ptrdiff_t at = 0; at < mode.n; at += kSearched) {
        const std::ptrdiff_t count = mode.n - at < kSearched ? mode.n - at : kSearched;
        const double max = first_lane(find_max(Row(count), View<const E>{z.p + at, kLanes})).v;
        if (max > best) best = max, from = at;
    }
    const F16 max = set1<F16>(best);
    std::ptrdiff_t j = from;
    for (; j + kLanes <= mode.n; j += kLanes)
        if (const unsigned hits = lane_bits(eq(loadu<F16>(z.p + j), max))) return {max, j + __builtin_ctz(hits)};
    for (; j < mode.n; ++j)
        if (static_cast<double>(z.p[j]) == best) return {max, j};
    return {max, 0};
}

template <class E> SOFTJAC_SHARED Peak<Tile> find_peak(const Tile& mode, View<const E> z) {
    F16 max = set1<F16>(-kInf);
    F16 index = set1<F16>(0.0);
    for (std::ptrdiff_t b = 0; b < mode.n; ++b) {
        const F16 x = load(z, FullBlock{b}, 0.0);
        const M16 higher = lt(max, x);
        max = select(higher, x, max);
        index = select(higher, set1<F16>(static_cast<double>(b)), index);
    }
    return {max, index};
}

// How many elements tie at the maximum, the first of them left out: all but those below it.
template <class Mode> struct TieCount;
template <> struct TieCount<Row> {
    std::ptrdiff_t below = 0;
    SOFTJAC_INLINE void add(const M16& is_below) { below += __builtin_popcount(lane_bits(is_below)); }
    SOFTJAC_INLINE F16 others(const Row& mode) const {  // the lanes past the end of the row count as below
        return set1<F16>(static_cast<double>(mode.blocks() * kLanes - below - 1));
    }
};
template <> struct TieCount<Tile> {
    F16 below = set1<F16>(0.0);
    SOFTJAC_INLINE void add(const M16& is_below) { below = add_where(is_below, below, set1<F16>(1.0)); }
    SOFTJAC_INLINE F16 others(const Tile& mode) const {
        return set1<F16>(static_cast<double>(mode.n - 1)) - below;
    }
};

// x with the peak's element as 0.
template <class Block> SOFTJAC_INLINE F16 without_peak(const Peak<Row>& peak, Block at, const F16& x) {
    if (__builtin_expect(at.b != peak.index / kLanes, 1)) return x;
    return zero_if(eq(iota<F16>(), set1<F16>(static_cast<double>(peak.index % kLanes))), x);
}
SOFTJAC_INLINE F16 without_peak(const Peak<Tile>& peak, FullBlock at, const F16& x) {
    return zero_if(eq(peak.index, set1<F16>(static_cast<double>(at.b))), x);
}
// a at the peak's element, x elsewhere.
template <class Block>
SOFTJAC_INLINE F16 replace_peak(const Peak<Row>& peak, Block at, const F16& a, const F16& x) {
    if (__builtin_expect(at.b != peak.index / kLanes, 1)) return x;
    return select(eq(iota<F16>(), set1<F16>(static_cast<double>(peak.index % kLanes))), a, x);
}
SOFTJAC_INLINE F16 replace_peak(const Peak<Tile>& peak, FullBlock at, const F16& a, const F16& x) {
    return select(eq(peak.index, set1<F16>(static_cast<double>(at.b))), a, x);
}

// The element of another operand that stands where the peak is.
template <class E> inline F16 at_peak(const Peak<Row>& peak, View<const E> v) {
    return set1<F16>(static_cast<double>(v.p[(peak.index / kLanes) * v.step + peak.index % kLanes]));
}
template <class E> inline F16 at_peak(const Peak<Tile>& peak, View<const E> v) {
    double index[kLanes], lanes[kLanes];
    storeu(index, peak.index);
    for (int i = 0; i < kLanes; ++i) lanes[i] = v.p[static_cast<std::ptrdiff_t>(index[i]) * v.step + i];
    return loadu<F16>(lanes);
}

}  // namespace
