// Which instruction set's kernels this machine runs.
#pragma once

#include <string>
#include <vector>

#include "job.h"

namespace softjac {

// Those that were built and that this machine can run, the fastest last. Their names are those of SOFTJAC_ISA.
std::vector<const KernelTable*> available_kernels();
std::string isa_name(const KernelTable& table);

}  // namespace softjac
