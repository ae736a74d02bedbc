// log of a weighted sum of exponentials, log(sum of b_j e^(z_j)), b of either sign, always in the wide family.
// With the peak k among the b_j that are not 0: m + log1p((b_k - 1) + sum of the other b_j e^(z_j - m)).
// Where the b_j lie so far apart that the largest term may not be at the largest logit, b_j = f_j 2^(s_j) and the logits
// become z_j + s_j ln 2, carried as hi + lo.
#pragma once

#include "drive.h"

namespace {

template <class X> class WeightedDriver {
    using E = typename ElementOf<X>::type;

  public:
    static std::ptrdiff_t scratch_bytes(const Job& job) {
        return 3 * Arena::padded(blocks_of(job.n) * kLanes * 8) +
               Arena::padded(blocks_of(job.n) * kLanes * static_cast<std::ptrdiff_t>(sizeof(E)));
    }

    static void rows(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last, char* scratch) {
        const std::ptrdiff_t width = blocks_of(job.n) * kLanes;
        Arena arena(scratch);
        double* z = arena.take<double>(width);
        double* z_lo = arena.take<double>(width);
        double* b = arena.take<double>(width);
        E* line = arena.take<E>(width);
        for (std::ptrdiff_t row = first; row < last; ++row) {
            const char* mask = job.mask.data ? job.mask.data + softjac::row_offset(job, job.mask, row) : nullptr;
            pack(job.in[0], softjac::row_offset(job, job.in[0], row), job.n, line, z);
            pack(job.in[1], softjac::row_offset(job, job.in[1], row), job.n, line, b);
            for (std::ptrdiff_t j = 0; j < job.n; ++j)
                if (b[j] == 0.0 || (mask && !mask[j * job.mask.core])) z[j] = -kInf, b[j] = 0.0;
            const E result = static_cast<E>(one_row(z, z_lo, b, job.n));
            narrow(result, *reinterpret_cast<X*>(job.out.data + softjac::row_offset(job, job.out, row)));
        }
    }

  private:
    static void pack(const Operand& operand, std::ptrdiff_t offset, std::ptrdiff_t n, E* line, double* out) {
        pack_line<X>(operand.data + offset, operand.core, n, line);
        for (std::ptrdiff_t j = 0; j < n; ++j) out[j] = line[j];
    }

    // Where no ordinary sum exists: sets `result` and answers true.
    static bool odd(const double* z, const double* b, std::ptrdiff_t n, double& result) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        bool is_nan = false, plus = false, minus = false, support = false;
        for (std::ptrdiff_t j = 0; j < n; ++j) {
            is_nan |= std::isnan(z[j]) || std::isnan(b[j]) || (std::isinf(b[j]) && z[j] == -kInf);
            if ((z[j] == kInf || std::isinf(b[j])) && b[j] != 0.0) (b[j] > 0.0 ? plus : minus) = true;
            support |= z[j] > -kInf;
        }
        if (is_nan || minus) result = nan;
        else if (plus) result = kInf;
        else if (!support) result = -kInf;
        else return false;
        return true;
    }

    static constexpr int kFarApart = 100;  // bits: where weights differ by more, their exponents go to the logits
    static constexpr int kStep = 64;       // in multiples of this, so that weights of one size keep their quotients

    // Brings the weights near 1. Answers the power of two that all of them were divided by; other powers went to z, z_lo.
    static int scale(double* z, double* z_lo, double* b, std::ptrdiff_t n) {
        int largest = std::numeric_limits<int>::min(), smallest = std::numeric_limits<int>::max();
        for (std::ptrdiff_t j = 0; j < n; ++j) {
            z_lo[j] = 0.0;
            if (b[j] == 0.0 || z[j] == -kInf) continue;
            const int own = std::ilogb(b[j]);
            largest = own > largest ? own : largest;
            smallest = own < smallest ? own : smallest;
        }
        if (largest - smallest > kFarApart) {
            for (std::ptrdiff_t j = 0; j < n; ++j) {
                if (b[j] == 0.0 || z[j] == -kInf) continue;
                const int own = std::ilogb(b[j]) + 20 * kStep + kStep / 2;  // not negative
                const int power = (own / kStep - 20) * kStep;
                b[j] = std::ldexp(b[j], -power);
                const Two<F1> head = two_product(F1{static_cast<double>(power)}, F1{kLn2Head});
                const Two<F1> sum = add(Two<F1>{{z[j]}, {0.0}}, Two<F1>{head.hi, head.lo + F1{power * kLn2Tail}});
                const Two<F1> folded = fast_two_sum(sum.hi, sum.lo);
                z[j] = folded.hi.v;
                z_lo[j] = folded.lo.v;
            }
            return 0;
        }
        if (largest <= 400 && largest >= -400) return 0;
        for (std::ptrdiff_t j = 0; j < n; ++j) b[j] = std::ldexp(b[j], -largest);
        return largest;
    }

    static double one_row(double* z, double* z_lo, double* b, std::ptrdiff_t n) {
        double result;
        if (odd(z, b, n, result)) return result;
        const int exponent = scale(z, z_lo, b, n);
        const View<const double> logits{z, kLanes}, logits_lo{z_lo, kLanes}, weights{b, kLanes};
        const Row mode{n};
        const Peak<Row> peak = find_peak(mode, logits);
        const F16 max_lo = set1<F16>(z_lo[peak.index]);
        WideSum<Row> sum;
        each_block(mode, [&](auto at) SOFTJAC_LAMBDA_INLINE {
            Two<F16> x = Wide::shifted(load(logits, at, -kInf), peak.max);
            x.lo = x.lo + (load(logits_lo, at, 0.0) - max_lo);
            const Two<F16> e = Wide::exp(x);
            sum.add(at, Wide::term(Wide::without_peak(peak, at, e), load(weights, at, 0.0)));
        });
        const Two<F16> total = WideSum<Row>::total(sum, mode);
        double hi[kLanes], lo[kLanes], m[kLanes];
        storeu(hi, total.hi);
        storeu(lo, total.lo);
        storeu(m, peak.max);
        const Two<F1> others{{hi[0] * kUnscale}, {lo[0] * kUnscale}};
        const Two<F1> R = add(two_sum(F1{b[peak.index]}, F1{-1.0}), others);
        const Two<F1> S = add(two_sum(F1{1.0}, R.hi), Two<F1>{R.lo, F1{0.0}});
        const double sign = S.hi.v + S.lo.v;
        if (sign < 0.0) return std::numeric_limits<double>::quiet_NaN();
        if (sign == 0.0) return -kInf;
        const Two<F1> log_S = log1p_wide(fast_two_sum(R.hi, R.lo));
        const Two<F1> shift = two_product(F1{static_cast<double>(exponent)}, F1{kLn2Head});
        const Two<F1> scaled = add(log_S, Two<F1>{shift.hi, F1{exponent * kLn2Tail}});
        const Two<F1> value = add(Two<F1>{{m[0]}, {z_lo[peak.index]}}, scaled);
        return value.hi.v + value.lo.v;
    }
};

}  // namespace
