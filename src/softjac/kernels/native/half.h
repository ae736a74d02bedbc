// float16 and bfloat16 to float and back, rounded to nearest even.
#pragma once

#include <cstdint>
#include <cstring>

namespace {

struct Half {
    std::uint16_t bits;
};
struct BFloat {
    std::uint16_t bits;
};

inline float float_of_bits(std::uint32_t u) {
    float x;
    std::memcpy(&x, &u, sizeof x);
    return x;
}
inline std::uint32_t bits_of_float(float x) {
    std::uint32_t u;
    std::memcpy(&u, &x, sizeof u);
    return u;
}

inline float widen(float x) { return x; }
inline double widen(double x) { return x; }
inline float widen(BFloat x) { return float_of_bits(static_cast<std::uint32_t>(x.bits) << 16); }
inline float widen(Half x) {
    const std::uint32_t sign = (x.bits & 0x8000u) << 16;
    const std::uint32_t magnitude = x.bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return float_of_bits(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    // Exponent and fraction in a float's place are 2^-112 of the value, also for subnormals.
    const float scaled = float_of_bits(magnitude << 13) * 0x1p112f;
    return float_of_bits(bits_of_float(scaled) | sign);
}

inline void narrow(float x, float& out) { out = x; }
inline void narrow(double x, double& out) { out = x; }
inline void narrow(float x, BFloat& out) {
    const std::uint32_t u = bits_of_float(x);
    if (x != x) out.bits = 0x7fc0u | static_cast<std::uint16_t>(u >> 31 << 15);
    else out.bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}
inline void narrow(float x, Half& out) {
    const std::uint32_t u = bits_of_float(x);
    const std::uint32_t sign = u >> 16 & 0x8000u;
    const std::uint32_t magnitude = u & 0x7fffffffu;
    std::uint32_t result;
    if (magnitude > 0x7f800000u) {
        result = 0x7e00u;
    } else if (magnitude >= 0x477ff000u) {  // rounds to 65536 or more
        result = 0x7c00u;
    } else if (magnitude < 0x38800000u) {  // a subnormal: adding 1/2 leaves multiples of 2^-24 in the low bits
        result = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
    } else {
        result = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    }
    out.bits = static_cast<std::uint16_t>(sign | result);
}

}  // namespace
