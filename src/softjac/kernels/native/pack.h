// From memory of any stride and type to the packed form that a kernel reads, and back. X is the type in memory, E the
// type the kernel reads: float for float16, bfloat16 and float32, double for float64.
#pragma once

#include <limits>
#include <type_traits>

#include "half.h"
#include "modes.h"
#include "stream.h"

namespace {

template <class X> struct ElementOf { using type = float; };
template <> struct ElementOf<double> { using type = double; };

template <class X> SOFTJAC_INLINE X read(const char* p) {
    return *reinterpret_cast<const X*>(p);
}

// n elements, `core` bytes apart, in a line.
template <class X, class E> SOFTJAC_SHARED void pack_line(const char* p, std::ptrdiff_t core, std::ptrdiff_t n, E* out) {
    if (core == static_cast<std::ptrdiff_t>(sizeof(X)))
        for (std::ptrdiff_t j = 0; j < n; ++j) out[j] = widen(read<X>(p + j * static_cast<std::ptrdiff_t>(sizeof(X))));
    else
        for (std::ptrdiff_t j = 0; j < n; ++j) out[j] = widen(read<X>(p + j * core));
}
template <class X, class E> SOFTJAC_SHARED void unpack_line(const E* x, char* p, std::ptrdiff_t core, std::ptrdiff_t n) {
    for (std::ptrdiff_t j = 0; j < n; ++j) narrow(x[j], *reinterpret_cast<X*>(p + j * core));
}

constexpr std::ptrdiff_t kFarAhead = 24;  // elements of a strided row that memory is asked for in advance

// Four by four elements, rows to columns.
template <class E> struct Quad {
    typedef E V __attribute__((vector_size(4 * sizeof(E))));
    V v[4];
    static SOFTJAC_INLINE V load(const E* p) {
        V x;
        std::memcpy(&x, p, sizeof x);
        return x;
    }
    static SOFTJAC_INLINE void store(E* p, V x) { std::memcpy(p, &x, sizeof x); }
    SOFTJAC_INLINE void transpose() {
        const V a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
        const V c = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
        v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
        v[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
        v[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
        v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
    }
};

// Calls body(j) for blocks of four that cover 0 to n - 1, the last of them overlapping where n is no multiple of four.
template <class Body> SOFTJAC_INLINE void each_quad(std::ptrdiff_t n, const Body& body) {
    for (std::ptrdiff_t j = 0; j + 4 <= n; j += 4) body(j);
    if (n % 4) body(n - 4);
}

// Up to sixteen rows, `lane` bytes apart, as blocks of sixteen; unused lanes repeat the first row.
template <class X, class E>
SOFTJAC_SHARED void pack_tile(const char* p, std::ptrdiff_t core, std::ptrdiff_t lane, int count, std::ptrdiff_t n, E* out) {
    const char* row[kLanes];
    for (int l = 0; l < kLanes; ++l) row[l] = p + (l < count ? l * lane : 0);
    if (std::is_same_v<X, E> && core == static_cast<std::ptrdiff_t>(sizeof(E)) && n >= 4) {
        for (int l = 0; l < kLanes; l += 4)
            each_quad(n, [&](std::ptrdiff_t j) SOFTJAC_LAMBDA_INLINE {
                Quad<E> q;
                for (int i = 0; i < 4; ++i) q.v[i] = Quad<E>::load(reinterpret_cast<const E*>(row[l + i]) + j);
                q.transpose();
                for (int i = 0; i < 4; ++i) Quad<E>::store(out + (j + i) * kLanes + l, q.v[i]);
            });
        return;
    }
    if (std::is_same_v<X, E> && count == kLanes && lane == static_cast<std::ptrdiff_t>(sizeof(E))) {
        for (std::ptrdiff_t j = 0; j < n; ++j) {
            __builtin_prefetch(p + (j + kFarAhead) * core);
            std::memcpy(out + j * kLanes, p + j * core, kLanes * sizeof(E));
        }
        return;
    }
    for (std::ptrdiff_t j = 0; j < n; ++j)
        for (int l = 0; l < kLanes; ++l) out[j * kLanes + l] = widen(read<X>(row[l] + j * core));
}
template <class X, class E>
SOFTJAC_SHARED void unpack_tile(const E* x, char* p, std::ptrdiff_t core, std::ptrdiff_t lane, int count, std::ptrdiff_t n) {
    if (std::is_same_v<X, E> && core == static_cast<std::ptrdiff_t>(sizeof(E)) && n >= 4 && count == kLanes) {
        for (int l = 0; l < kLanes; l += 4)
            each_quad(n, [&](std::ptrdiff_t j) SOFTJAC_LAMBDA_INLINE {
                Quad<E> q;
                for (int i = 0; i < 4; ++i) q.v[i] = Quad<E>::load(x + (j + i) * kLanes + l);
                q.transpose();
                for (int i = 0; i < 4; ++i) Quad<E>::store(reinterpret_cast<E*>(p + (l + i) * lane) + j, q.v[i]);
            });
        return;
    }
    for (std::ptrdiff_t j = 0; j < n; ++j)
        for (int l = 0; l < count; ++l) narrow(x[j * kLanes + l], *reinterpret_cast<X*>(p + j * core + l * lane));
}

// n pieces of `width` adjacent elements, `core` bytes apart, to lines of whole blocks of sixteen. A last block that is not
// full is filled up with its first element.
inline std::ptrdiff_t panel_line(std::ptrdiff_t width) { return (width + kLanes - 1) / kLanes * kLanes; }

template <class E>
SOFTJAC_SHARED void pack_panel(const char* p, std::ptrdiff_t core, std::ptrdiff_t width, std::ptrdiff_t n, E* out) {
    const std::ptrdiff_t last_block = width / kLanes * kLanes, line = panel_line(width);
    const auto bytes = width * static_cast<std::ptrdiff_t>(sizeof(E));
    if (core == bytes && line == width) {
        std::memcpy(out, p, static_cast<std::size_t>(n * bytes));
        return;
    }
    for (std::ptrdiff_t j = 0; j < n; ++j, p += core, out += line) {
        for (std::ptrdiff_t at = 0; at < bytes; at += 64) __builtin_prefetch(p + kFarAhead * core + at, 0, 2);
        std::memcpy(out, p, static_cast<std::size_t>(bytes));
        for (std::ptrdiff_t l = width; l < line; ++l) out[l] = out[last_block];
    }
}
template <class E>
SOFTJAC_SHARED void unpack_panel(const E* x, char* p, std::ptrdiff_t core, std::ptrdiff_t width, std::ptrdiff_t n,
                                 bool stream) {
    const std::ptrdiff_t line = panel_line(width);
    auto bytes = width * static_cast<std::ptrdiff_t>(sizeof(E));
    if (core == bytes && line == width) bytes *= n, n = 1;
    for (std::ptrdiff_t j = 0; j < n; ++j, p += core, x += line) {
        if (stream) stream_copy(p, reinterpret_cast<const char*>(x), bytes);
        else std::memcpy(p, x, static_cast<std::size_t>(bytes));
    }
}

// A part of the scratch memory of one thread, handed out from the front; without memory it only counts.
class Arena {
  public:
    explicit Arena(char* base) : base_(base) {}
    template <class T> T* take(std::ptrdiff_t count) {
        char* const p = base_ ? base_ + taken_ : nullptr;
        taken_ += padded(count * static_cast<std::ptrdiff_t>(sizeof(T)));
        return reinterpret_cast<T*>(p);
    }
    std::ptrdiff_t taken() const { return taken_; }
    static constexpr std::ptrdiff_t padded(std::ptrdiff_t bytes) { return (bytes + 127) / 64 * 64; }

  private:
    char* const base_;
    std::ptrdiff_t taken_ = 0;
};

}  // namespace
