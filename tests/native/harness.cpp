// Runs cases from standard input through the kernels of one instruction set and writes the results to standard output.
//
//   harness heap       every operand is a heap block of exactly its size (for AddressSanitizer)
//   harness odd        the same, with the data on an address that is a multiple of its item's size and of no more
//   harness guard      every operand lies between pages that cannot be touched, against the one behind or before it
//
// A case is a list of int64, then the bytes of its operands:
//   op, type, inputs, n, stream, split, in_place (-1, or the input that is the output), masked, dims, shape[dims]
//   for every input, the mask if there is one, and the output unless in place:
//     bytes, offset of the first element, core, columns, batch[dims], and the bytes themselves
// The work is cut at `split`, as the scheduler might: rows, or for a Jacobian the rows of each matrix. The result is the
// whole block of the output, so that a write beside the result shows, too. Numbers of Op and Type are those in job.h.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "float_environment.h"
#include "job.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#define SOFTJAC_JOIN_(a, b) a##b
#define SOFTJAC_JOIN(a, b) SOFTJAC_JOIN_(a, b)

namespace softjac {
extern const KernelTable SOFTJAC_JOIN(kernels_, SOFTJAC_ISA_NAME);
}

namespace {

using softjac::Job;
using softjac::KernelTable;

const KernelTable& kernels = softjac::SOFTJAC_JOIN(kernels_, SOFTJAC_ISA_NAME);

enum class Place { heap, odd, end, start };

[[noreturn]] void fail(const char* message, long number) {
    std::fprintf(stderr, "harness: case %ld: %s\n", number, message);
    std::exit(2);
}

// Memory of exactly `bytes` bytes whose surroundings are not to be touched.
class Block {
  public:
    Block(std::size_t bytes, std::size_t item, Place place) : bytes_(bytes), place_(place) {
        if (place == Place::heap || place == Place::odd) {
            const std::size_t pad = place == Place::odd ? item : 0;
            base_ = static_cast<char*>(std::malloc(pad + bytes));
            data_ = base_ + pad;
#if defined(__SANITIZE_ADDRESS__)
            ASAN_POISON_MEMORY_REGION(base_, pad);
#endif
            return;
        }
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t inner = (bytes + page - 1) / page * page;
        mapped_ = inner + 2 * page;
        void* const memory = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) fail("no memory", -1);
        base_ = static_cast<char*>(memory);
        if (inner && mprotect(base_ + page, inner, PROT_READ | PROT_WRITE)) fail("mprotect", -1);
        data_ = place == Place::end ? base_ + page + inner - bytes : base_ + page;
    }
    ~Block() {
        if (mapped_) {
            munmap(base_, mapped_);
            return;
        }
#if defined(__SANITIZE_ADDRESS__)
        ASAN_UNPOISON_MEMORY_REGION(base_, static_cast<std::size_t>(data_ - base_));
#endif
        std::free(base_);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    char* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }

  private:
    std::size_t bytes_, mapped_ = 0;
    Place place_;
    char *base_, *data_;
};

bool read_all(void* to, std::size_t bytes) { return std::fread(to, 1, bytes, stdin) == bytes; }

std::int64_t read_number(long number) {
    std::int64_t value;
    if (!read_all(&value, sizeof value)) fail("the input ends within a case", number);
    return value;
}

struct Loaded {
    std::unique_ptr<Block> block;
    std::vector<char> as_read;
};

Loaded load_operand(softjac::Operand& operand, const Job& job, std::size_t item, Place place, long number,
                    std::ptrdiff_t* columns = nullptr) {
    const auto bytes = static_cast<std::size_t>(read_number(number));
    const std::int64_t offset = read_number(number);
    operand.core = read_number(number);
    const std::int64_t given_columns = read_number(number);
    if (columns) *columns = given_columns;
    for (int d = 0; d < job.dims; ++d) operand.batch[d] = read_number(number);
    Loaded loaded{std::make_unique<Block>(bytes, item, place), std::vector<char>(bytes)};
    if (!read_all(loaded.as_read.data(), bytes)) fail("the input ends within an operand", number);
    std::memcpy(loaded.block->data(), loaded.as_read.data(), bytes);
    operand.data = loaded.block->data() + offset;
    return loaded;
}

void run(const Job& job, std::ptrdiff_t split, char* scratch) {
    const softjac::FloatEnvironment environment;
    if (job.op != softjac::Op::softmax_jacobian) {
        if (split > 0) kernels.rows(job, 0, split, scratch);
        kernels.rows(job, split, job.rows, scratch);
        return;
    }
    for (std::ptrdiff_t row = 0; row < job.rows; ++row) {
        if (split > 0) kernels.jacobian(job, row, 0, split, true, scratch);
        kernels.jacobian(job, row, split, job.n, split == 0, scratch);
    }
}

void one_case(std::int64_t op, Place place, long number) {
    Job job;
    job.op = static_cast<softjac::Op>(op);
    job.type = static_cast<softjac::Type>(read_number(number));
    job.inputs = static_cast<int>(read_number(number));
    job.n = read_number(number);
    job.given_bytes = read_number(number) != 0 ? std::ptrdiff_t{1} << 40 : 0;
    const std::ptrdiff_t split = read_number(number);
    const auto in_place = static_cast<int>(read_number(number));
    const bool masked = read_number(number) != 0;
    job.dims = static_cast<int>(read_number(number));
    job.rows = 1;
    for (int d = 0; d < job.dims; ++d) job.rows *= job.shape[d] = read_number(number);
    const std::size_t item = softjac::item_size(job.type);

    Loaded in[softjac::kMaxInputs], mask, out;
    for (int i = 0; i < job.inputs; ++i) in[i] = load_operand(job.in[i], job, item, place, number);
    job.mask.data = nullptr;
    if (masked) mask = load_operand(job.mask, job, 1, place, number);
    job.out_columns = 0;
    if (in_place < 0) out = load_operand(job.out, job, item, place, number, &job.out_columns);
    else job.out = job.in[in_place];

    // Exactly what the kernels ask for, full of NaN: nothing may be read there that was not written.
    const std::size_t bytes = kernels.scratch_bytes(job);
    void* scratch = nullptr;
    if (posix_memalign(&scratch, 64, bytes)) fail("no memory for the scratch", number);
    std::memset(scratch, 0xff, bytes);
    run(job, split, static_cast<char*>(scratch));
    std::free(scratch);

    for (int i = 0; i < job.inputs; ++i)
        if (i != in_place && std::memcmp(in[i].block->data(), in[i].as_read.data(), in[i].block->bytes()) != 0)
            fail("an operand was written to", number);
    if (masked && std::memcmp(mask.block->data(), mask.as_read.data(), mask.block->bytes()) != 0)
        fail("the mask was written to", number);
    const Block& result = in_place < 0 ? *out.block : *in[in_place].block;
    if (std::fwrite(result.data(), 1, result.bytes(), stdout) != result.bytes() || std::fflush(stdout))
        fail("cannot write", number);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string how = count == 2 ? arguments[1] : "";
    if (how != "heap" && how != "odd" && how != "guard") {
        std::fprintf(stderr, "usage: harness heap|odd|guard < cases > results\n");
        return 2;
    }
    std::int64_t op;
    for (long number = 0; read_all(&op, sizeof op); ++number)
        one_case(op, how == "heap" ? Place::heap : how == "odd" ? Place::odd : number % 4 ? Place::end : Place::start,
                 number);
    return 0;
}
