// Sums over the classes, in an order that n alone fixes: sixteen lanes, then a tree over the lanes.
// Narrow sums are plain doubles, brought into a hi + lo pair every 16 steps, so that a long row of equal terms does not
// drift; wide sums are hi + lo throughout.
#pragma once

#include "modes.h"

namespace {

constexpr std::ptrdiff_t kGroup = 16;  // steps of a lane between two flushes of a narrow sum

SOFTJAC_INLINE std::ptrdiff_t used_lanes(std::ptrdiff_t n) { return n < kLanes ? n : kLanes; }

template <class Mode> struct NarrowSum;

template <> struct NarrowSum<Row> {
    F16 part = set1<F16>(0.0), hi = set1<F16>(0.0), lo = set1<F16>(0.0);

    template <class Block> SOFTJAC_INLINE void add(Block at, const F16& x) {
        part = part + x;
        if (at.b % kGroup == kGroup - 1) flush();
    }
    template <class Block> SOFTJAC_INLINE void add_where(const M16& m, Block at, const F16& x) {
        part = ::add_where(m, part, x);
        if (at.b % kGroup == kGroup - 1) flush();
    }
    SOFTJAC_INLINE void flush() {
        const Two<F16> s = two_sum(hi, part);
        hi = s.hi;
        lo = lo + s.lo;
        part = set1<F16>(0.0);
    }
    // By value: taking the address of the sum would keep it out of the registers.
    static SOFTJAC_INLINE F16 total(NarrowSum sum, const Row&) {
        sum.flush();
        return set1<F16>(tree_sum(sum.hi + sum.lo));
    }
};

template <> struct NarrowSum<Tile> {
    F16 part[kLanes], hi[kLanes], lo[kLanes];

    SOFTJAC_INLINE void add(FullBlock at, const F16& x) {
        const int i = static_cast<int>(at.b % kLanes);
        const std::ptrdiff_t step = at.b / kLanes;
        if (step == 0) {
            part[i] = set1<F16>(0.0) + x;
        } else if (step % kGroup != 0) {
            part[i] = part[i] + x;
        } else {
            flush(i, step == kGroup);
            part[i] = set1<F16>(0.0) + x;
        }
    }
    SOFTJAC_INLINE void add_where(const M16& m, FullBlock at, const F16& x) { add(at, zero_unless(m, x)); }
    SOFTJAC_INLINE void flush(int i, bool first) {
        const F16 zero = set1<F16>(0.0);
        const Two<F16> s = two_sum(first ? zero : hi[i], part[i]);
        hi[i] = s.hi;
        lo[i] = (first ? zero : lo[i]) + s.lo;
    }
    static F16 total(NarrowSum& sum, const Tile& mode) { return sum.merged(mode); }
    SOFTJAC_SHARED F16 merged(const Tile& mode) {
        const int used = static_cast<int>(used_lanes(mode.n));
        for (int i = 0; i < used; ++i) {
            const std::ptrdiff_t steps = (mode.n - i + kLanes - 1) / kLanes;
            if (steps <= kGroup) continue;  // hi and lo would be part and 0
            flush(i, false);
            part[i] = hi[i] + lo[i];
        }
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int i = 0; i < half && i + half < used; ++i) part[i] = part[i] + part[i + half];
        return part[0];
    }
};

template <class Mode> struct WideSum;

template <> struct WideSum<Row> {
    Two<F16> sum = {set1<F16>(0.0), set1<F16>(0.0)};

    template <class Block> SOFTJAC_INLINE void add(Block, const Two<F16>& x) {
        const Two<F16> s = two_sum(sum.hi, x.hi);
        sum = {s.hi, sum.lo + (s.lo + x.lo)};
    }
    template <class Block> SOFTJAC_INLINE void add_where(const M16& m, Block at, const Two<F16>& x) {
        add(at, {zero_unless(m, x.hi), zero_unless(m, x.lo)});
    }
    static SOFTJAC_INLINE Two<F16> total(WideSum wide, const Row&) {
        double hi[kLanes], lo[kLanes];
        storeu(hi, wide.sum.hi);
        storeu(lo, wide.sum.lo);
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) {
                const Two<F1> s = ::add(Two<F1>{{hi[i]}, {lo[i]}}, Two<F1>{{hi[i + half]}, {lo[i + half]}});
                hi[i] = s.hi.v;
                lo[i] = s.lo.v;
            }
        const Two<F1> s = fast_two_sum(F1{hi[0]}, F1{lo[0]});
        return {set1<F16>(s.hi.v), set1<F16>(s.lo.v)};
    }
};

template <> struct WideSum<Tile> {
    Two<F16> sum[kLanes];

    explicit WideSum() {
        for (auto& s : sum) s = {set1<F16>(0.0), set1<F16>(0.0)};
    }
    SOFTJAC_INLINE void add(FullBlock at, const Two<F16>& x) {
        Two<F16>& lane = sum[at.b % kLanes];
        const Two<F16> s = two_sum(lane.hi, x.hi);
        lane = {s.hi, lane.lo + (s.lo + x.lo)};
    }
    SOFTJAC_INLINE void add_where(const M16& m, FullBlock at, const Two<F16>& x) {
        add(at, {zero_unless(m, x.hi), zero_unless(m, x.lo)});
    }
    static Two<F16> total(WideSum& sum, const Tile& mode) {
        return sum.merged(mode);
    }
    SOFTJAC_SHARED Two<F16> merged(const Tile& mode) {
        const std::ptrdiff_t used = used_lanes(mode.n);
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int i = 0; i < half && i + half < used; ++i) sum[i] = ::add(sum[i], sum[i + half]);
        return fast_two_sum(sum[0].hi, sum[0].lo);
    }
};

}  // namespace
