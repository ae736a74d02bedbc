// Writing past the cache, for results so large that they would only push other things out of it.
#pragma once

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "simd/lanes.h"

namespace {

// Copies to memory by whole cache lines; the parts of lines at both ends go the ordinary way.
inline void stream_copy(char* to, const char* from, std::ptrdiff_t bytes) {
#if defined(__AVX512F__)
    constexpr std::ptrdiff_t kLine = 64;
    const std::ptrdiff_t head = -reinterpret_cast<std::intptr_t>(to) & (kLine - 1);
    if (bytes >= head + kLine) {
        std::memcpy(to, from, static_cast<std::size_t>(head));
        std::ptrdiff_t at = head;
        for (; at + kLine <= bytes; at += kLine)
            _mm512_stream_si512(reinterpret_cast<__m512i*>(to + at), _mm512_loadu_si512(from + at));
        std::memcpy(to + at, from + at, static_cast<std::size_t>(bytes - at));
        return;
    }
#elif defined(__AVX__)
    constexpr std::ptrdiff_t kPart = 32;
    const std::ptrdiff_t head = -reinterpret_cast<std::intptr_t>(to) & (kPart - 1);
    if (bytes >= head + kPart) {
        std::memcpy(to, from, static_cast<std::size_t>(head));
        std::ptrdiff_t at = head;
        for (; at + kPart <= bytes; at += kPart)
            _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at),
                                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at)));
        std::memcpy(to + at, from + at, static_cast<std::size_t>(bytes - at));
        return;
    }
#endif
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// Makes what was streamed visible before anything that follows.
inline void stream_fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

}  // namespace
