#include "schedule.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif

#include "float_environment.h"

namespace softjac {
namespace {

constexpr double kWorkPerThread = 1 << 17;  // elements; less is not worth the start of a thread
constexpr std::ptrdiff_t kRowsTogether = 16;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

std::ptrdiff_t at_least_one(std::ptrdiff_t x) { return x < 1 ? 1 : x; }

struct Scratch {
    explicit Scratch(std::size_t bytes) {
        const std::size_t alignment = bytes >= kHugePage ? kHugePage : 64;
        memory = std::malloc(bytes + alignment);
        const auto address = reinterpret_cast<std::uintptr_t>(memory);
        base = reinterpret_cast<char*>((address + alignment - 1) / alignment * alignment);
#if defined(__linux__)
        if (memory && bytes >= kHugePage) madvise(base, bytes, MADV_HUGEPAGE);  // a fault for each small page costs more
#endif
    }
    ~Scratch() { std::free(memory); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    void* memory;
    char* base;
};

// A job cut into pieces that threads take in turn.
class Pieces {
  public:
    Pieces(const Job& job, const KernelTable& kernels) : job_(job), kernels_(kernels) {
        constexpr std::ptrdiff_t kElements = 1 << 16;
        if (job.op == Op::softmax_jacobian) {
            const std::ptrdiff_t lines = at_least_one(4 * kElements / job.n);
            lines_ = lines < job.n ? lines : job.n;
            const std::ptrdiff_t parts = (job.n + lines_ - 1) / lines_;
            parts_ = parts;
            units_ = job.rows * parts;
            grab_ = parts > 1 ? 1 : at_least_one(4 * kElements / (job.n * job.n));
        } else {
            units_ = job.rows;
            grab_ = at_least_one(kElements / job.n);
            if (grab_ > 1) grab_ = (grab_ + kRowsTogether - 1) / kRowsTogether * kRowsTogether;
        }
    }

    // Takes and computes pieces until there are none; `pause` is called between two, and may end the work.
    template <class Pause> void work(char* scratch, const Pause& pause) {
        const FloatEnvironment environment;
        while (!stop_.load(std::memory_order_relaxed)) {
            const std::ptrdiff_t first = next_.fetch_add(grab_, std::memory_order_relaxed);
            if (first >= units_) return;
            const std::ptrdiff_t last = units_ - first < grab_ ? units_ : first + grab_;
            if (job_.op == Op::softmax_jacobian) jacobian(first, last, scratch);
            else kernels_.rows(job_, first, last, scratch);
            if (pause()) stop_.store(true, std::memory_order_relaxed);
        }
    }

  private:
    void jacobian(std::ptrdiff_t first, std::ptrdiff_t last, char* scratch) const {
        for (std::ptrdiff_t unit = first; unit < last; ++unit) {
            const std::ptrdiff_t i_first = unit % parts_ * lines_;
            const std::ptrdiff_t i_last = job_.n - i_first < lines_ ? job_.n : i_first + lines_;
            kernels_.jacobian(job_, unit / parts_, i_first, i_last, unit == first || i_first == 0, scratch);
        }
    }

    const Job& job_;
    const KernelTable& kernels_;
    std::ptrdiff_t units_, grab_, parts_ = 1, lines_ = 0;
    std::atomic<std::ptrdiff_t> next_{0};
    std::atomic<bool> stop_{false};
};

}  // namespace

double work(const Job& job) {
    const double elements = static_cast<double>(job.rows) * static_cast<double>(job.n);
    return job.op == Op::softmax_jacobian ? elements * static_cast<double>(job.n) / 4 : elements;
}

Outcome run(const Job& job, const KernelTable& kernels, int max_threads, bool (*interrupted)()) {
    const std::size_t bytes = kernels.scratch_bytes(job);
    alignas(64) char near_by[8192];
    Pieces pieces(job, kernels);
    const double worth = work(job) / kWorkPerThread;
    const int threads = worth < 2 || max_threads < 2 ? 1 : worth < max_threads ? static_cast<int>(worth) : max_threads;
    if (threads == 1 && bytes <= sizeof near_by && work(job) < kSmallWork) {
        pieces.work(near_by, [] { return false; });
        return Outcome::done;
    }

    std::vector<std::unique_ptr<Scratch>> scratch;
    std::vector<std::thread> helpers;
    try {
        for (int t = 0; t < threads; ++t) {
            scratch.push_back(std::make_unique<Scratch>(bytes));
            if (!scratch.back()->memory) return Outcome::no_memory;
        }
        helpers.reserve(static_cast<std::size_t>(threads));
    } catch (const std::bad_alloc&) {
        return Outcome::no_memory;
    }
    for (int t = 1; t < threads; ++t) {
        char* base = scratch[static_cast<std::size_t>(t)]->base;
        try {
            helpers.emplace_back([&pieces, base] { pieces.work(base, [] { return false; }); });
        } catch (const std::exception&) {
            break;  // no more threads or no memory for one: the ones there are do the work
        }
    }
    using Clock = std::chrono::steady_clock;
    auto asked = Clock::now();
    bool was_interrupted = false;
    pieces.work(scratch[0]->base, [&] {
        const auto now = Clock::now();
        if (now - asked < std::chrono::milliseconds(50)) return false;
        asked = now;
        was_interrupted = interrupted();
        return was_interrupted;
    });
    for (auto& helper : helpers) helper.join();
    return was_interrupted ? Outcome::interrupted : Outcome::done;
}

int default_threads() {
    if (const char* text = std::getenv("OMP_NUM_THREADS")) {
        const long number = std::strtol(text, nullptr, 10);
        if (number >= 1 && number <= kMostThreads) return static_cast<int>(number);
    }
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const unsigned count = std::thread::hardware_concurrency();
    return count ? static_cast<int>(count) : 1;
}

}  // namespace softjac
