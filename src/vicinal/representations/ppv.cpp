// Counts how often fixed kernels answer above their biases: the inner loops of ppv.py, which documents them.
//
// One call counts for some rows on the thread that calls it. It adds in the order in which NumPy adds there, so both
// give the same bits: compile without contraction and without fast-math.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int TAPS = 9, N_KERNELS = 84, LANES = 16, TOGETHER = 8;
// Positions counted at a time: what seven kernels share then stays in the first-level cache.
constexpr int64_t BLOCK = 2048;

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));

Floats load(const float* from) {
    Floats values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

// Adds to counts[k] how many of shared[i] + own[i], 0 <= i < n, are above biases[k], 0 <= k < N.
template <int N>
void count(const float* shared, const float* own, int64_t n, const float* biases, int32_t* counts) {
    Ints above[N] = {};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const Floats values = load(shared + i) + load(own + i);
        // Written so that it becomes a comparison and a masked addition, which a sum of comparisons does not.
        for (int k = 0; k < N; k++) above[k] = values > biases[k] ? above[k] + 1 : above[k];
    }
    for (int k = 0; k < N; k++) {
        int32_t total = 0;
        for (int lane = 0; lane < LANES; lane++) total += above[k][lane];
        for (int64_t j = i; j < n; j++) total += shared[j] + own[j] > biases[k];
        counts[k] += total;
    }
}

using Count = void (*)(const float*, const float*, int64_t, const float*, int32_t*);
constexpr Count COUNT[TOGETHER + 1] = {nullptr,  count<1>, count<2>, count<3>, count<4>,
                                       count<5>, count<6>, count<7>, count<8>};

void count_all(const float* shared, const float* own, int64_t n, const float* biases, int64_t n_biases,
               int32_t* counts) {
    for (int64_t k = 0; k < n_biases; k += TOGETHER)
        COUNT[std::min<int64_t>(TOGETHER, n_biases - k)](shared, own, n, biases + k, counts + k);
}

void add(const float* a, const float* b, int64_t n, float* sum) {
    for (int64_t i = 0; i < n; i++) sum[i] = a[i] + b[i];
}

struct Row {
    const float* x;  // (channels, time)
    int64_t n_channels, n_time, n;
};

struct Dilation {
    int64_t index, step, n_biases, first;
    int64_t side() const { return step * (TAPS / 2); }
    // Positions that a kernel leaves out at each end of n.
    int64_t inside(int kernel, int64_t n) const { return (index + kernel) % 2 && n > 2 * side() ? side() : 0; }
};

// One row at one dilation.
class Counter {
  public:
    Counter(const Row& row, const Dilation& dilation) : row(row), dilation(dilation) {
        padded.assign(row.n + 2 * dilation.side(), 0.0f);
        thrice.resize(padded.size());
        alpha.resize(row.n), one.resize(BLOCK), two.resize(BLOCK);
        counts.assign(N_KERNELS * dilation.n_biases, 0);
    }

    void run(const uint8_t* channels, const float* biases, float* found) {
        if (row.n_channels == 1) {
            const uint8_t only = 1;
            sum(&only);
            for (int64_t from = 0; from < row.n; from += BLOCK) all_kernels(from, biases);
        } else {
            for (int kernel = 0; kernel < N_KERNELS; kernel++) {
                sum(channels + kernel * row.n_channels);
                for (int64_t from = 0; from < row.n; from += BLOCK) one_kernel(kernel, from, biases);
            }
        }
        for (int kernel = 0; kernel < N_KERNELS; kernel++) {
            const float positions = float(row.n - 2 * dilation.inside(kernel, row.n));
            for (int64_t k = kernel * dilation.n_biases; k < (kernel + 1) * dilation.n_biases; k++)
                found[k] = float(counts[k]) / positions;
        }
    }

  private:
    const Row& row;
    const Dilation& dilation;
    std::vector<float> padded, thrice, alpha, one, two;
    std::vector<int32_t> counts;

    // Sets what all kernels over these channels share: three times their sum, and minus the sum of all taps.
    void sum(const uint8_t* chosen) {
        float* inner = padded.data() + dilation.side();
        bool first = true;
        for (int64_t channel = 0; channel < row.n_channels; channel++) {
            if (!chosen[channel]) continue;
            const float* x = row.x + channel * row.n_time;
            if (first) std::memcpy(inner, x, row.n * sizeof(float));
            else add(inner, x, row.n, inner);
            first = false;
        }
        for (size_t i = 0; i < padded.size(); i++) thrice[i] = 3 * padded[i];
        for (int64_t i = 0; i < row.n; i++) alpha[i] = -inner[i];
        for (int tap = 0; tap < TAPS; tap++) {
            if (tap == TAPS / 2) continue;
            const float* shifted = padded.data() + tap * dilation.step;
            for (int64_t i = 0; i < row.n; i++) alpha[i] -= shifted[i];
        }
    }

    const float* tap(int number, int64_t from) const { return thrice.data() + number * dilation.step + from; }
    int64_t size(int64_t from) const { return std::min(BLOCK, row.n - from); }

    void all_kernels(int64_t from, const float* biases) {
        int kernel = 0;
        for (int first = 0; first < TAPS - 2; first++) {
            add(alpha.data() + from, tap(first, from), size(from), one.data());
            for (int second = first + 1; second < TAPS - 1; second++) {
                add(one.data(), tap(second, from), size(from), two.data());
                for (int third = second + 1; third < TAPS; third++) compare(kernel++, third, from, biases);
            }
        }
    }

    void one_kernel(int kernel, int64_t from, const float* biases) {
        int number = 0;
        for (int first = 0; first < TAPS - 2; first++)
            for (int second = first + 1; second < TAPS - 1; second++)
                for (int third = second + 1; third < TAPS; third++)
                    if (number++ == kernel) {
                        add(alpha.data() + from, tap(first, from), size(from), one.data());
                        add(one.data(), tap(second, from), size(from), two.data());
                        compare(kernel, third, from, biases);
                    }
    }

    void compare(int kernel, int third, int64_t from, const float* biases) {
        const int64_t edge = dilation.inside(kernel, row.n);
        const int64_t start = std::max(edge, from), stop = std::min(row.n - edge, from + size(from));
        if (start >= stop) return;
        const int64_t own = kernel * dilation.n_biases;
        count_all(two.data() + (start - from), tap(third, start), stop - start, biases + own, dilation.n_biases,
                  counts.data() + own);
    }
};

}  // namespace

// x: (rows, channels, time), zero past the lengths.  lengths: real positions of each row.
// dilations: (dilations, 4): index, step, biases of each kernel, first feature.
// channels: (dilations * 84, channels), 1 where a pair of a dilation and a kernel sums a channel.
// biases: (features).  found: (rows, features), zeros.
extern "C" void count_above(const float* x, int64_t n_rows, int64_t n_channels, int64_t n_time, const int64_t* lengths,
                            const int64_t* dilations, int64_t n_dilations, const uint8_t* channels,
                            const float* biases, int64_t n_features, float* found) {
    for (int64_t number = 0; number < n_rows; number++) {
        const Row row{x + number * n_channels * n_time, n_channels, n_time, lengths[number]};
        if (row.n <= 0) continue;
        for (int64_t d = 0; d < n_dilations; d++) {
            const int64_t* facts = dilations + 4 * d;
            const Dilation dilation{facts[0], facts[1], facts[2], facts[3]};
            Counter(row, dilation).run(channels + d * N_KERNELS * n_channels, biases + dilation.first,
                                       found + number * n_features + dilation.first);
        }
    }
}
