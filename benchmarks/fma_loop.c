/* Multiply-add in registers alone, in one thread or several: what the processor itself gains from its cores. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#define MOST_THREADS 64

typedef double lanes __attribute__((vector_size(64)));

struct job {
    long rounds;
    double sum;
    double cpu_seconds;
};

static void *run(void *argument) {
    struct job *job = argument;
    struct timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    lanes zero = {0}, x = zero + 0.999999, y = zero + 1e-6;
    lanes a = zero, b = zero + 1, c = zero + 2, d = zero + 3, e = zero + 4, f = zero + 5;
    for (long i = 0; i < job->rounds; ++i) {
        a = a * x + y;
        b = b * x + y;
        c = c * x + y;
        d = d * x + y;
        e = e * x + y;
        f = f * x + y;
    }
    lanes total = a + b + c + d + e + f;
    for (int i = 0; i < 8; ++i) job->sum += total[i]; /* or the compiler would drop the loop */
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    job->cpu_seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    return 0;
}

/* `rounds` of the loop, divided among threads; cpu_seconds[t] becomes the processor time of thread t. -1: no threads. */
double fma_loop(int threads, long rounds, double *cpu_seconds) {
    pthread_t handles[MOST_THREADS];
    struct job jobs[MOST_THREADS] = {{0}};
    double sum = 0;
    int started = 1, failed = threads < 1 || threads > MOST_THREADS;
    if (failed) return -1;
    for (int t = 0; t < threads; ++t) jobs[t].rounds = rounds / threads;
    for (; started < threads && !failed; ++started)
        failed = pthread_create(&handles[started], 0, run, &jobs[started]) != 0;
    if (failed) --started;
    run(&jobs[0]);
    for (int t = 1; t < started; ++t) pthread_join(handles[t], 0);
    for (int t = 0; t < threads; ++t) {
        sum += jobs[t].sum;
        cpu_seconds[t] = jobs[t].cpu_seconds;
    }
    return failed ? -1 : sum;
}
