// Sixteen doubles side by side, on whatever registers this instruction set has. A kernel is written once with F16 and
// F1, and since the number of lanes is the same everywhere, so are the order of every sum and the bits of every result.
#pragma once

#if defined(SOFTJAC_SIMD_AVX512)
#include "avx512.h"
#elif defined(SOFTJAC_SIMD_AVX2)
#include "avx2.h"
#elif defined(SOFTJAC_SIMD_NEON)
#include "neon.h"
#else
#include "scalar.h"
namespace {
using Vec = F1;
using VecMask = M1;
}  // namespace
#endif

namespace {

constexpr int kLanes = 16;

struct F16 {
    static constexpr int kWidth = kLanes;
    static constexpr int kParts = kLanes / Vec::kWidth;
    Vec part[kParts];
};

struct M16 {
    VecMask part[F16::kParts];
};

#if defined(SOFTJAC_SIMD_AVX512) || defined(SOFTJAC_SIMD_AVX2) || defined(SOFTJAC_SIMD_NEON)
#define SOFTJAC_EACH_PART _Pragma("GCC unroll 8") for (int i = 0; i < F16::kParts; ++i)
#else  // unrolling sixteen single doubles only makes the code large
#define SOFTJAC_EACH_PART for (int i = 0; i < F16::kParts; ++i)
#endif

template <> SOFTJAC_INLINE F16 set1<F16>(double x) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = set1<Vec>(x);
    return r;
}
template <> SOFTJAC_INLINE F16 loadu<F16>(const double* p) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = loadu<Vec>(p + i * Vec::kWidth);
    return r;
}
template <> SOFTJAC_INLINE F16 loadu<F16>(const float* p) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = loadu<Vec>(p + i * Vec::kWidth);
    return r;
}
template <> SOFTJAC_INLINE F16 iota<F16>() {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = iota<Vec>() + set1<Vec>(i * Vec::kWidth);
    return r;
}
template <class E> SOFTJAC_INLINE void storeu(E* p, const F16& a) {
    SOFTJAC_EACH_PART storeu(p + i * Vec::kWidth, a.part[i]);
}

#define SOFTJAC_BINARY(name, Result)                                  \
    SOFTJAC_INLINE Result name(const F16& a, const F16& b) {                  \
        Result r;                                                     \
        SOFTJAC_EACH_PART r.part[i] = name(a.part[i], b.part[i]);     \
        return r;                                                     \
    }
SOFTJAC_BINARY(operator+, F16)
SOFTJAC_BINARY(operator-, F16)
SOFTJAC_BINARY(operator*, F16)
SOFTJAC_BINARY(operator/, F16)
SOFTJAC_BINARY(lt, M16)
SOFTJAC_BINARY(ge, M16)
SOFTJAC_BINARY(eq, M16)
SOFTJAC_BINARY(ne, M16)
SOFTJAC_BINARY(not_lt, M16)
SOFTJAC_BINARY(add_shifted_48, F16)
#undef SOFTJAC_BINARY

#define SOFTJAC_TERNARY(name)                                                    \
    SOFTJAC_INLINE F16 name(const F16& a, const F16& b, const F16& c) {                  \
        F16 r;                                                                   \
        SOFTJAC_EACH_PART r.part[i] = name(a.part[i], b.part[i], c.part[i]);     \
        return r;                                                                \
    }
SOFTJAC_TERNARY(fma)
SOFTJAC_TERNARY(fnma)
#undef SOFTJAC_TERNARY

SOFTJAC_INLINE F16 operator-(const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = -a.part[i];
    return r;
}
SOFTJAC_INLINE F16 sqrt(const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = sqrt(a.part[i]);
    return r;
}
SOFTJAC_INLINE M16 operator|(const M16& a, const M16& b) {
    M16 r;
    SOFTJAC_EACH_PART r.part[i] = a.part[i] | b.part[i];
    return r;
}
SOFTJAC_INLINE M16 operator&(const M16& a, const M16& b) {
    M16 r;
    SOFTJAC_EACH_PART r.part[i] = a.part[i] & b.part[i];
    return r;
}
SOFTJAC_INLINE unsigned lane_bits(const M16& m) {
    unsigned bits = 0;
    SOFTJAC_EACH_PART bits |= lane_bits(m.part[i]) << (i * Vec::kWidth);
    return bits;
}
SOFTJAC_INLINE bool any(const M16& m) {
    VecMask r = m.part[0];
    SOFTJAC_EACH_PART r = r | m.part[i];
    return any(r);
}
SOFTJAC_INLINE F16 select(const M16& m, const F16& a, const F16& b) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = select(m.part[i], a.part[i], b.part[i]);
    return r;
}
SOFTJAC_INLINE F16 zero_unless(const M16& m, const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = zero_unless(m.part[i], a.part[i]);
    return r;
}
// a + b where m, else a. Without a -0 in a, the same bits as a + (b where m, else 0).
SOFTJAC_INLINE F16 add_where(const M16& m, const F16& a, const F16& b) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = add_where(m.part[i], a.part[i], b.part[i]);
    return r;
}
SOFTJAC_INLINE F16 zero_if(const M16& m, const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = zero_if(m.part[i], a.part[i]);
    return r;
}
SOFTJAC_INLINE F16 bits_and(const F16& a, std::uint64_t u) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = bits_and(a.part[i], u);
    return r;
}
SOFTJAC_INLINE F16 bits_or(const F16& a, std::uint64_t u) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = bits_or(a.part[i], u);
    return r;
}
SOFTJAC_INLINE F16 bits_sub_from(std::uint64_t u, const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = bits_sub_from(u, a.part[i]);
    return r;
}
SOFTJAC_INLINE F16 bits_shift_right_52(const F16& a) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = bits_shift_right_52(a.part[i]);
    return r;
}
SOFTJAC_INLINE F16 lookup16(const double* table, const F16& k) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = lookup16(table, k.part[i]);
    return r;
}

// The first count elements of a block that is not full: loads give fill beyond them, stores write nothing there.
template <class E> SOFTJAC_INLINE F16 load_part(const E* p, int count, double fill) {
#if defined(SOFTJAC_MASKED_PARTS)
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = load_first(p + i * Vec::kWidth, count - i * Vec::kWidth, fill);
    return r;
#else
    double lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = i < count ? static_cast<double>(p[i]) : fill;
    return loadu<F16>(lanes);
#endif
}
template <class E> SOFTJAC_INLINE void store_part(E* p, const F16& a, int count) {
#if defined(SOFTJAC_MASKED_PARTS)
    SOFTJAC_EACH_PART store_first(p + i * Vec::kWidth, a.part[i], count - i * Vec::kWidth);
#else
    E lanes[kLanes];
    storeu(lanes, a);
    for (int i = 0; i < count; ++i) p[i] = lanes[i];
#endif
}

SOFTJAC_INLINE double tree_sum(F16 a) {
#pragma GCC unroll 4
    for (int half = F16::kParts / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) a.part[i] = a.part[i] + a.part[i + half];
    return tree_sum(a.part[0]);
}
SOFTJAC_INLINE void store_high(std::uint32_t* p, const F16& a) {
    SOFTJAC_EACH_PART store_high(p + i * Vec::kWidth, a.part[i]);
}
template <> SOFTJAC_INLINE F16 load_high<F16>(const std::uint32_t* p) {
    F16 r;
    SOFTJAC_EACH_PART r.part[i] = load_high<Vec>(p + i * Vec::kWidth);
    return r;
}

#undef SOFTJAC_EACH_PART

}  // namespace
