// One double with the operations that every instruction set offers. Each operation rounds once, as IEEE 754 says,
// so that a kernel written with them gives the same bits on every instruction set.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// Kernels stand or fall with their values staying in registers: what a loop is made of is always inlined.
#define SOFTJAC_INLINE inline __attribute__((always_inline))
#define SOFTJAC_LAMBDA_INLINE __attribute__((always_inline))
#define SOFTJAC_SHARED __attribute__((noinline))  // one copy for all that use it

namespace {

struct F1 {
    static constexpr int kWidth = 1;
    double v;
};

struct M1 {
    bool v;
};

SOFTJAC_INLINE std::uint64_t to_bits(double x) {
    std::uint64_t u;
    std::memcpy(&u, &x, sizeof u);
    return u;
}

SOFTJAC_INLINE double from_bits(std::uint64_t u) {
    double x;
    std::memcpy(&x, &u, sizeof x);
    return x;
}

template <class F> F set1(double x);
template <class F> F loadu(const double* p);
template <class F> F loadu(const float* p);
template <class F> F iota();

template <> SOFTJAC_INLINE F1 set1<F1>(double x) { return {x}; }
template <> SOFTJAC_INLINE F1 loadu<F1>(const double* p) { return {*p}; }
template <> SOFTJAC_INLINE F1 loadu<F1>(const float* p) { return {static_cast<double>(*p)}; }
template <> SOFTJAC_INLINE F1 iota<F1>() { return {0.0}; }
SOFTJAC_INLINE void storeu(double* p, F1 a) { *p = a.v; }
SOFTJAC_INLINE void storeu(float* p, F1 a) { *p = static_cast<float>(a.v); }

SOFTJAC_INLINE F1 operator+(F1 a, F1 b) { return {a.v + b.v}; }
SOFTJAC_INLINE F1 operator-(F1 a, F1 b) { return {a.v - b.v}; }
SOFTJAC_INLINE F1 operator*(F1 a, F1 b) { return {a.v * b.v}; }
SOFTJAC_INLINE F1 operator/(F1 a, F1 b) { return {a.v / b.v}; }
SOFTJAC_INLINE F1 operator-(F1 a) { return {-a.v}; }
SOFTJAC_INLINE F1 sqrt(F1 a) { return {std::sqrt(a.v)}; }
SOFTJAC_INLINE F1 fma(F1 a, F1 b, F1 c) { return {std::fma(a.v, b.v, c.v)}; }
SOFTJAC_INLINE F1 fnma(F1 a, F1 b, F1 c) { return {std::fma(-a.v, b.v, c.v)}; }

SOFTJAC_INLINE M1 lt(F1 a, F1 b) { return {a.v < b.v}; }
SOFTJAC_INLINE M1 ge(F1 a, F1 b) { return {a.v >= b.v}; }
SOFTJAC_INLINE M1 eq(F1 a, F1 b) { return {a.v == b.v}; }
SOFTJAC_INLINE M1 ne(F1 a, F1 b) { return {a.v != b.v}; }       // true for NaN
SOFTJAC_INLINE M1 not_lt(F1 a, F1 b) { return {!(a.v < b.v)}; }  // true for NaN
SOFTJAC_INLINE M1 operator|(M1 a, M1 b) { return {a.v || b.v}; }
SOFTJAC_INLINE M1 operator&(M1 a, M1 b) { return {a.v && b.v}; }
SOFTJAC_INLINE bool any(M1 m) { return m.v; }
SOFTJAC_INLINE unsigned lane_bits(M1 m) { return m.v ? 1u : 0u; }
SOFTJAC_INLINE F1 select(M1 m, F1 a, F1 b) { return {m.v ? a.v : b.v}; }
SOFTJAC_INLINE F1 zero_unless(M1 m, F1 a) { return {m.v ? a.v : 0.0}; }
SOFTJAC_INLINE F1 add_where(M1 m, F1 a, F1 b) { return {m.v ? a.v + b.v : a.v}; }
SOFTJAC_INLINE F1 zero_if(M1 m, F1 a) { return {m.v ? 0.0 : a.v}; }

SOFTJAC_INLINE F1 bits_and(F1 a, std::uint64_t u) { return {from_bits(to_bits(a.v) & u)}; }
SOFTJAC_INLINE F1 bits_or(F1 a, std::uint64_t u) { return {from_bits(to_bits(a.v) | u)}; }
SOFTJAC_INLINE F1 bits_sub_from(std::uint64_t u, F1 a) { return {from_bits(u - to_bits(a.v))}; }
SOFTJAC_INLINE F1 bits_shift_right_52(F1 a) { return {from_bits(to_bits(a.v) >> 52)}; }
// bits(t) + (bits(k) << 48): scales t by 2^(k/16) when t comes from a table whose entry i has i << 48 taken off.
SOFTJAC_INLINE F1 add_shifted_48(F1 t, F1 k) { return {from_bits(to_bits(t.v) + (to_bits(k.v) << 48))}; }
// The entry of a table of 16 doubles that the low four bits of k name.
SOFTJAC_INLINE F1 lookup16(const double* table, F1 k) { return {table[to_bits(k.v) & 15]}; }

// The sum over the lanes, along a tree: halves are added until one lane is left.
SOFTJAC_INLINE double tree_sum(F1 a) { return a.v; }

// The upper half of a double: its sign, exponent and 20 bits.
SOFTJAC_INLINE void store_high(std::uint32_t* p, F1 a) { *p = static_cast<std::uint32_t>(to_bits(a.v) >> 32); }
template <class F> F load_high(const std::uint32_t* p);
template <> SOFTJAC_INLINE F1 load_high<F1>(const std::uint32_t* p) {
    return {from_bits(static_cast<std::uint64_t>(*p) << 32)};
}

}  // namespace
