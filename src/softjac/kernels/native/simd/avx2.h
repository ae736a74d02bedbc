// Four doubles in one AVX register. Needs AVX2 and FMA (x86-64-v3).
#pragma once

#include <immintrin.h>

#include "scalar.h"

namespace {

struct Vec {
    static constexpr int kWidth = 4;
    __m256d v;
};

struct VecMask {
    __m256d v;
};

template <> SOFTJAC_INLINE Vec set1<Vec>(double x) { return {_mm256_set1_pd(x)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const double* p) { return {_mm256_loadu_pd(p)}; }
template <> SOFTJAC_INLINE Vec loadu<Vec>(const float* p) { return {_mm256_cvtps_pd(_mm_loadu_ps(p))}; }
template <> SOFTJAC_INLINE Vec iota<Vec>() { return {_mm256_set_pd(3, 2, 1, 0)}; }
SOFTJAC_INLINE void storeu(double* p, Vec a) { _mm256_storeu_pd(p, a.v); }
SOFTJAC_INLINE void storeu(float* p, Vec a) { _mm_storeu_ps(p, _mm256_cvtpd_ps(a.v)); }

SOFTJAC_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_pd(a.v, b.v)}; }
SOFTJAC_INLINE Vec operator-(Vec a) { return {_mm256_xor_pd(a.v, _mm256_set1_pd(-0.0))}; }
SOFTJAC_INLINE Vec sqrt(Vec a) { return {_mm256_sqrt_pd(a.v)}; }
SOFTJAC_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
SOFTJAC_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_pd(a.v, b.v, c.v)}; }

SOFTJAC_INLINE VecMask lt(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
SOFTJAC_INLINE VecMask ge(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GE_OQ)}; }
SOFTJAC_INLINE VecMask eq(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
SOFTJAC_INLINE VecMask ne(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ)}; }
SOFTJAC_INLINE VecMask not_lt(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_NLT_UQ)}; }
SOFTJAC_INLINE VecMask operator|(VecMask a, VecMask b) { return {_mm256_or_pd(a.v, b.v)}; }
SOFTJAC_INLINE VecMask operator&(VecMask a, VecMask b) { return {_mm256_and_pd(a.v, b.v)}; }
SOFTJAC_INLINE bool any(VecMask m) { return _mm256_movemask_pd(m.v) != 0; }
SOFTJAC_INLINE unsigned lane_bits(VecMask m) { return static_cast<unsigned>(_mm256_movemask_pd(m.v)); }
SOFTJAC_INLINE Vec select(VecMask m, Vec a, Vec b) { return {_mm256_blendv_pd(b.v, a.v, m.v)}; }
SOFTJAC_INLINE Vec zero_unless(VecMask m, Vec a) { return {_mm256_and_pd(m.v, a.v)}; }
SOFTJAC_INLINE Vec add_where(VecMask m, Vec a, Vec b) { return a + zero_unless(m, b); }
SOFTJAC_INLINE Vec zero_if(VecMask m, Vec a) { return {_mm256_andnot_pd(m.v, a.v)}; }

SOFTJAC_INLINE __m256i int_bits(Vec a) { return _mm256_castpd_si256(a.v); }
SOFTJAC_INLINE Vec of_int_bits(__m256i i) { return {_mm256_castsi256_pd(i)}; }
SOFTJAC_INLINE __m256i set_bits(std::uint64_t u) { return _mm256_set1_epi64x(static_cast<long long>(u)); }
SOFTJAC_INLINE Vec bits_and(Vec a, std::uint64_t u) { return of_int_bits(_mm256_and_si256(int_bits(a), set_bits(u))); }
SOFTJAC_INLINE Vec bits_or(Vec a, std::uint64_t u) { return of_int_bits(_mm256_or_si256(int_bits(a), set_bits(u))); }
SOFTJAC_INLINE Vec bits_sub_from(std::uint64_t u, Vec a) { return of_int_bits(_mm256_sub_epi64(set_bits(u), int_bits(a))); }
SOFTJAC_INLINE Vec bits_shift_right_52(Vec a) { return of_int_bits(_mm256_srli_epi64(int_bits(a), 52)); }
SOFTJAC_INLINE Vec add_shifted_48(Vec t, Vec k) {
    return of_int_bits(_mm256_add_epi64(int_bits(t), _mm256_slli_epi64(int_bits(k), 48)));
}
SOFTJAC_INLINE Vec lookup16(const double* table, Vec k) {
    alignas(32) std::uint64_t i[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(i), _mm256_and_si256(int_bits(k), set_bits(15)));
    return {_mm256_set_pd(table[i[3]], table[i[2]], table[i[1]], table[i[0]])};
}

SOFTJAC_INLINE double tree_sum(Vec a) {
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

SOFTJAC_INLINE void store_high(std::uint32_t* p, Vec a) {
    const __m256i odd = _mm256_set_epi32(0, 0, 0, 0, 7, 5, 3, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(int_bits(a), odd)));
}
template <> SOFTJAC_INLINE Vec load_high<Vec>(const std::uint32_t* p) {
    const __m256i wide = _mm256_cvtepu32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return of_int_bits(_mm256_slli_epi64(wide, 32));
}

}  // namespace
