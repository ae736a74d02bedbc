// What a call of the operator computes: rows of probabilities, with what is known of each, and one vector a row.
#pragma once

#include "job.h"

namespace softjac {

enum class OperatorOp {
    state,              // of p alone: where the largest is, what the others are together, how many are not 0
    product,
    quad,               // one number a row
    solve,
    sqrt_product,
    sqrt_transposed,
    diagonal,           // of p alone
    trace,              // of p alone
    norm,               // the largest eigenvalue, of p alone
    cholesky_factor,    // of p alone: pivot, c and G
    cholesky_product,   // these four with pivot, c and G; weight is its root here, damping is damping / weight
    cholesky_transposed,
    cholesky_solve,
    cholesky_solve_transposed,
};

// What the operator notes of a row for its caller.
enum RowNote : unsigned char {
    kOrdinary = 0,
    kOdd = 1,        // the result does not stand: the row has to be computed in another way
    kSubnormal = 2,  // state: there are subnormal p
};

// in[0] is p, in[1] the vector, out the result; their elements stand side by side. Where nothing else is said, the
// operands below have one number a row; integers are 64 bits wide.
struct OperatorJob : Job {
    OperatorOp operation;
    Operand k;       // first index of the largest p
    Operand q_k;     // the sum of the other p
    Operand size;    // how many p are not 0
    Operand weight, damping;
    Operand pivot, c, G;  // rows of a Cholesky factor; G has n + 1 elements
    unsigned char* notes;  // a RowNote for each row, in the order of the rows
};

}  // namespace softjac
