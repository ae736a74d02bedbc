// Two doubles in one AArch64 register.
#pragma once

#include <arm_neon.h>

#include "scalar.h"

namespace {

struct Vec {
    static constexpr int kWidth = 2;
    float64x2_t v;
};

struct VecMask {
    uint64x2_t v;
};

template <> SOFTJAC_INLINE Vec set1<Vec>(double x) { return {vdupq_n_f64(x)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const double* p) { return {vld1q_f64(p)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const float* p) { return {vcvt_f64_f32(vld1_f32(p))}; }
template <> SOFTJAC_INLINE Vec iota<Vec>() {
    const double lanes[2] = {0, 1};
    return {vld1q_f64(lanes)};
}
SOFTJAC_INLINE void storeu(double* p, Vec a) { vst1q_f64(p, a.v); }
SOFTJAC_INLINE void storeu(float* p, Vec a) { vst1_f32(p, vcvt_f32_f64(a.v)); }

SOFTJAC_INLINE Vec operator+(Vec a, Vec b) { return {vaddq_f64(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a, Vec b) { return {vsubq_f64(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator*(Vec a, Vec b) { return {vmulq_f64(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator/(Vec a, Vec b) { return {vdivq_f64(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a) { return {vnegq_f64(a.v)}; }
SOFTJAC_INLINE Vec sqrt(Vec a) { return {vsqrtq_f64(a.v)}; }
SOFTJAC_INLINE Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
SOFTJAC_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f64(c.v, a.v, b.v)}; }

SOFTJAC_INLINE uint64x2_t invert(uint64x2_t m) { return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(m))); }
SOFTJAC_INLINE VecMask lt(Vec a, Vec b) { return {vcltq_f64(a.v, b.v)}; }
SOFTJAC_INLINE VecMask ge(Vec a, Vec b) { return {vcgeq_f64(a.v, b.v)}; }
SOFTJAC_INLINE VecMask eq(Vec a, Vec b) { return {vceqq_f64(a.v, b.v)}; }
SOFTJAC_INLINE VecMask ne(Vec a, Vec b) { return {invert(vceqq_f64(a.v, b.v))}; }
SOFTJAC_INLINE VecMask not_lt(Vec a, Vec b) { return {invert(vcltq_f64(a.v, b.v))}; }
SOFTJAC_INLINE VecMask operator|(VecMask a, VecMask b) { return {vorrq_u64(a.v, b.v)}; }
SOFTJAC_INLINE VecMask operator&(VecMask a, VecMask b) { return {vandq_u64(a.v, b.v)}; }
SOFTJAC_INLINE unsigned lane_bits(VecMask m) {
    return static_cast<unsigned>((vgetq_lane_u64(m.v, 0) & 1) | (vgetq_lane_u64(m.v, 1) & 2));
}
SOFTJAC_INLINE bool any(VecMask m) { return lane_bits(m) != 0; }
SOFTJAC_INLINE Vec select(VecMask m, Vec a, Vec b) { return {vbslq_f64(m.v, a.v, b.v)}; }

SOFTJAC_INLINE uint64x2_t int_bits(Vec a) { return vreinterpretq_u64_f64(a.v); }
SOFTJAC_INLINE Vec of_int_bits(uint64x2_t i) { return {vreinterpretq_f64_u64(i)}; }
SOFTJAC_INLINE Vec zero_unless(VecMask m, Vec a) { return of_int_bits(vandq_u64(m.v, int_bits(a))); }
SOFTJAC_INLINE Vec add_where(VecMask m, Vec a, Vec b) { return a + zero_unless(m, b); }
SOFTJAC_INLINE Vec zero_if(VecMask m, Vec a) { return of_int_bits(vandq_u64(invert(m.v), int_bits(a))); }
SOFTJAC_INLINE Vec bits_and(Vec a, std::uint64_t u) { return of_int_bits(vandq_u64(int_bits(a), vdupq_n_u64(u))); }
SOFTJAC_INLINE Vec bits_or(Vec a, std::uint64_t u) { return of_int_bits(vorrq_u64(int_bits(a), vdupq_n_u64(u))); }
SOFTJAC_INLINE Vec bits_sub_from(std::uint64_t u, Vec a) { return of_int_bits(vsubq_u64(vdupq_n_u64(u), int_bits(a))); }
SOFTJAC_INLINE Vec bits_shift_right_52(Vec a) { return of_int_bits(vshrq_n_u64(int_bits(a), 52)); }
SOFTJAC_INLINE Vec add_shifted_48(Vec t, Vec k) {
    return of_int_bits(vaddq_u64(int_bits(t), vshlq_n_u64(int_bits(k), 48)));
}
SOFTJAC_INLINE Vec lookup16(const double* table, Vec k) {
    const uint64x2_t i = vandq_u64(int_bits(k), vdupq_n_u64(15));
    return {vcombine_f64(vld1_f64(table + vgetq_lane_u64(i, 0)), vld1_f64(table + vgetq_lane_u64(i, 1)))};
}

SOFTJAC_INLINE double tree_sum(Vec a) { return vgetq_lane_f64(a.v, 0) + vgetq_lane_f64(a.v, 1); }

SOFTJAC_INLINE void store_high(std::uint32_t* p, Vec a) { vst1_u32(p, vshrn_n_u64(int_bits(a), 32)); }
template <> SOFTJAC_INLINE Vec load_high<Vec>(const std::uint32_t* p) {
    return of_int_bits(vshlq_n_u64(vmovl_u32(vld1_u32(p)), 32));
}

}  // namespace
