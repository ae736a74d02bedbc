// Runs the operator's kernels of one instruction set. Standard input holds records: n, k, size as 64-bit integers, q_k,
// weight, damping, and n doubles each of p and x. Standard output gets, for each record and operation, the note of the row
// and, where that says that the result stands, the result. Operands have memory of their own, no byte more than they need.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <vector>

#include "operator_job.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

namespace softjac {
void JOIN(operator_rows_, SOFTJAC_ISA_NAME)(const Job& job, std::ptrdiff_t first, std::ptrdiff_t last);
}

namespace {

using softjac::Operand;
using softjac::OperatorJob;
using softjac::OperatorOp;

template <class T> std::unique_ptr<T[]> read(std::size_t count) {
    std::unique_ptr<T[]> result(new T[count]);
    if (std::fread(result.get(), sizeof(T), count, stdin) != count) std::exit(3);
    return result;
}
template <class T> void write(const T* values, std::size_t count) { std::fwrite(values, sizeof(T), count, stdout); }

template <class T> void set(Operand& operand, T* memory) {
    operand.data = reinterpret_cast<char*>(memory);
    operand.core = sizeof(double);
    operand.batch[0] = 0;
}

bool run(OperatorJob& job, OperatorOp operation) {
    unsigned char note = 255;
    job.notes = &note;
    job.operation = operation;
    JOIN(softjac::operator_rows_, SOFTJAC_ISA_NAME)(job, 0, 1);
    write(&note, 1);
    return !(note & softjac::kOdd);
}

}  // namespace

int main() {
    std::int64_t count[3];
    while (std::fread(count, sizeof count, 1, stdin) == 1) {
        const auto n = static_cast<std::size_t>(count[0]);
        const auto numbers = read<double>(3);
        const auto p = read<double>(n), x = read<double>(n);
        OperatorJob job;
        job.n = count[0];
        job.dims = 1;
        job.shape[0] = job.rows = 1;
        job.inputs = 2;
        std::unique_ptr<double[]> out(new double[n]), pivot(new double[n]), c(new double[n]), G(new double[n + 1]);
        std::int64_t found_k = 0, found_size = 0;
        double found_q_k = 0.0;
        set(job.in[0], p.get());
        set(job.in[1], x.get());
        set(job.out, out.get());
        set(job.k, &found_k);
        set(job.q_k, &found_q_k);
        set(job.size, &found_size);
        if (run(job, OperatorOp::state)) {
            write(&found_k, 1);
            write(&found_q_k, 1);
            write(&found_size, 1);
        }
        set(job.k, &count[1]);
        set(job.size, &count[2]);
        set(job.q_k, &numbers[0]);
        set(job.weight, &numbers[1]);
        set(job.damping, &numbers[2]);
        for (const auto operation : {OperatorOp::product, OperatorOp::solve, OperatorOp::sqrt_product,
                                     OperatorOp::sqrt_transposed, OperatorOp::diagonal})
            if (run(job, operation)) write(out.get(), n);
        double number = 0.0;
        set(job.out, &number);
        for (const auto operation : {OperatorOp::quad, OperatorOp::trace, OperatorOp::norm})
            if (run(job, operation)) write(&number, 1);
        set(job.out, out.get());
        set(job.pivot, pivot.get());
        set(job.c, c.get());
        set(job.G, G.get());
        if (!run(job, OperatorOp::cholesky_factor)) continue;
        write(pivot.get(), n);
        write(c.get(), n);
        write(G.get(), n + 1);
        for (const auto operation : {OperatorOp::cholesky_product, OperatorOp::cholesky_transposed,
                                     OperatorOp::cholesky_solve, OperatorOp::cholesky_solve_transposed})
            if (run(job, operation)) write(out.get(), n);
    }
}
