// Spreads a job over threads, row by row (a Jacobian: by blocks of its rows).
#pragma once

#include "job.h"

namespace softjac {

enum class Outcome { done, interrupted, no_memory };

// Threads are made for one call and end with it, so that a fork finds no pool to break. `interrupted` is asked by the
// calling thread now and then; where it answers true, the job is left unfinished.
Outcome run(const Job& job, const KernelTable& kernels, int max_threads, bool (*interrupted)());

// Elements that are computed; below kSmallWork a job is not worth letting go of the interpreter's lock.
double work(const Job& job);
constexpr double kSmallWork = 20000;

constexpr int kMostThreads = 4096;  // softjac/_threads.py has the same number

// OMP_NUM_THREADS where it is set, else the processors that this process may use.
int default_threads();

}  // namespace softjac
