// Eight doubles in one AVX-512 register. Needs F, DQ, VL (x86-64-v4).
#pragma once

#include <immintrin.h>

#include "scalar.h"

namespace {

struct Vec {
    static constexpr int kWidth = 8;
    __m512d v;
};

struct VecMask {
    __mmask8 v;
};

template <> SOFTJAC_INLINE Vec set1<Vec>(double x) { return {_mm512_set1_pd(x)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const double* p) { return {_mm512_loadu_pd(p)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const float* p) { return {_mm512_cvtps_pd(_mm256_loadu_ps(p))}; }
template <> SOFTJAC_INLINE Vec iota<Vec>() { return {_mm512_set_pd(7, 6, 5, 4, 3, 2, 1, 0)}; }
SOFTJAC_INLINE void storeu(double* p, Vec a) { _mm512_storeu_pd(p, a.v); }
SOFTJAC_INLINE void storeu(float* p, Vec a) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(a.v)); }

SOFTJAC_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a) { return {_mm512_xor_pd(a.v, _mm512_set1_pd(-0.0))}; }
SOFTJAC_INLINE Vec sqrt(Vec a) { return {_mm512_sqrt_pd(a.v)}; }
SOFTJAC_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
SOFTJAC_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }

SOFTJAC_INLINE VecMask lt(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
SOFTJAC_INLINE VecMask ge(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GE_OQ)}; }
SOFTJAC_INLINE VecMask eq(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
SOFTJAC_INLINE VecMask ne(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
SOFTJAC_INLINE VecMask not_lt(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NLT_UQ)}; }
SOFTJAC_INLINE VecMask operator|(VecMask a, VecMask b) { return {static_cast<__mmask8>(a.v | b.v)}; }
SOFTJAC_INLINE VecMask operator&(VecMask a, VecMask b) { return {static_cast<__mmask8>(a.v & b.v)}; }
SOFTJAC_INLINE bool any(VecMask m) { return m.v != 0; }
SOFTJAC_INLINE unsigned lane_bits(VecMask m) { return m.v; }
SOFTJAC_INLINE Vec select(VecMask m, Vec a, Vec b) { return {_mm512_mask_blend_pd(m.v, b.v, a.v)}; }
SOFTJAC_INLINE Vec zero_unless(VecMask m, Vec a) { return {_mm512_maskz_mov_pd(m.v, a.v)}; }
SOFTJAC_INLINE Vec add_where(VecMask m, Vec a, Vec b) { return {_mm512_mask_add_pd(a.v, m.v, a.v, b.v)}; }
SOFTJAC_INLINE Vec zero_if(VecMask m, Vec a) { return {_mm512_maskz_mov_pd(static_cast<__mmask8>(~m.v), a.v)}; }

SOFTJAC_INLINE __m512i int_bits(Vec a) { return _mm512_castpd_si512(a.v); }
SOFTJAC_INLINE Vec of_int_bits(__m512i i) { return {_mm512_castsi512_pd(i)}; }
SOFTJAC_INLINE __m512i set_bits(std::uint64_t u) { return _mm512_set1_epi64(static_cast<long long>(u)); }
SOFTJAC_INLINE Vec bits_and(Vec a, std::uint64_t u) { return of_int_bits(_mm512_and_si512(int_bits(a), set_bits(u))); }
SOFTJAC_INLINE Vec bits_or(Vec a, std::uint64_t u) { return of_int_bits(_mm512_or_si512(int_bits(a), set_bits(u))); }
SOFTJAC_INLINE Vec bits_sub_from(std::uint64_t u, Vec a) { return of_int_bits(_mm512_sub_epi64(set_bits(u), int_bits(a))); }
SOFTJAC_INLINE Vec bits_shift_right_52(Vec a) { return of_int_bits(_mm512_srli_epi64(int_bits(a), 52)); }
SOFTJAC_INLINE Vec add_shifted_48(Vec t, Vec k) {
    return of_int_bits(_mm512_add_epi64(int_bits(t), _mm512_slli_epi64(int_bits(k), 48)));
}
SOFTJAC_INLINE Vec lookup16(const double* table, Vec k) {
    return {_mm512_permutex2var_pd(_mm512_loadu_pd(table), int_bits(k), _mm512_loadu_pd(table + 8))};
}

// The first count of sixteen elements, part by part; beyond them, loads give fill and stores write nothing.
#define SOFTJAC_MASKED_PARTS
SOFTJAC_INLINE __mmask8 first_lanes(int count) {
    return static_cast<__mmask8>(count >= 8 ? 0xff : count <= 0 ? 0 : (1 << count) - 1);
}
SOFTJAC_INLINE Vec load_first(const double* p, int count, double fill) {
    return {_mm512_mask_loadu_pd(_mm512_set1_pd(fill), first_lanes(count), p)};
}
SOFTJAC_INLINE Vec load_first(const float* p, int count, double fill) {
    return {_mm512_cvtps_pd(_mm256_mask_loadu_ps(_mm256_set1_ps(static_cast<float>(fill)), first_lanes(count), p))};
}
SOFTJAC_INLINE void store_first(double* p, Vec a, int count) { _mm512_mask_storeu_pd(p, first_lanes(count), a.v); }
SOFTJAC_INLINE void store_first(float* p, Vec a, int count) {
    _mm256_mask_storeu_ps(p, first_lanes(count), _mm512_cvtpd_ps(a.v));
}

SOFTJAC_INLINE double tree_sum(Vec a) {
    const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(a.v), _mm512_extractf64x4_pd(a.v, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

SOFTJAC_INLINE void store_high(std::uint32_t* p, Vec a) {
    const __m512i odd = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 15, 13, 11, 9, 7, 5, 3, 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_castsi512_si256(_mm512_permutexvar_epi32(odd, int_bits(a))));
}
template <> SOFTJAC_INLINE Vec load_high<Vec>(const std::uint32_t* p) {
    const __m512i spread = _mm512_set_epi32(7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0);
    const __m512i halves = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return of_int_bits(_mm512_maskz_permutexvar_epi32(0xaaaa, spread, halves));
}

}  // namespace
