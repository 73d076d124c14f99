// Minimal filtering along time in one pass: transform, multiply, transform back, without leaving the caches.
//
// As winograd.py, which says what is computed and holds the matrices; there each of the three steps is a matrix product
// over all records of a group, here a few tiles at a time go through all of them. Values are float32 or bfloat16, all
// between them float32. Sums have one fixed order, whichever thread makes them. Fused multiply-adds are welcome.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

#ifdef __AVX512F__
constexpr int LANES = 16, ROWS = 12, VECTORS = 2;  // 24 of 32 registers hold sums
#else
constexpr int LANES = 8, ROWS = 6, VECTORS = 2;  // 12 of 16
#endif
constexpr int PANEL = LANES * VECTORS;
// Transformed values that a group of tiles may hold, and of those that meet in the gradient of the windows.
constexpr int64_t CACHED = 80 * 1024, CACHED_BACK = 320 * 1024;

typedef float Vector __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

inline Vector load(const float* at) { return *reinterpret_cast<const Vector*>(at); }
inline void store(float* at, Vector value) { *reinterpret_cast<Vector*>(at) = value; }

// A bfloat16: the upper half of a float32.
struct Half {
    uint16_t bits;
};
typedef uint16_t Halves __attribute__((vector_size(LANES * sizeof(Half)), aligned(2), may_alias));
typedef uint32_t Words __attribute__((vector_size(LANES * sizeof(float))));

inline Vector load(const Half* at) {
    const Words words = __builtin_convertvector(*reinterpret_cast<const Halves*>(at), Words) << 16;
    Vector values;
    std::memcpy(&values, &words, sizeof values);
    return values;
}

// To the nearest, ties to even; what is no number stays none.
inline void store(Half* at, Vector values) {
#ifdef __AVX512BF16__
    __m512 given;
    std::memcpy(&given, &values, sizeof given);
    const __m256bh halves = _mm512_cvtneps_pbh(given);
    std::memcpy(static_cast<void*>(at), &halves, sizeof halves);
#else
    Words words;
    std::memcpy(&words, &values, sizeof words);
    const Words rounded = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
    const Words nothing = Words{} + 0x7fc0;
    const Words kept = (words & 0x7fffffff) > 0x7f800000 ? nothing : rounded;
    *reinterpret_cast<Halves*>(at) = __builtin_convertvector(kept, Halves);
#endif
}

// Values along time, one record after the other: row r of a record begins at `offset + r * row`, and what lies before
// 0 or from `length` on is zero. All four are multiples of LANES.
struct Side {
    int64_t length, row, offset;
};

struct Job {
    const void* x;
    const float* u;        // (panels, points, pieces * row, PANEL)
    const float* bias;     // (units) or null
    const void* gradient;  // of the result, for `learn`
    void* y;
    const float* a;  // (outputs, points)
    const float* b;  // (points, points)
    Side in, out;
    int64_t batch, tiles, pieces, units, group, slots;
    std::atomic<int64_t> next{0};
};

// Return where row `r` of a record lies; a copy with zeros where it hangs over an end.
template <typename Value>
inline const Value* row_of(const Value* record, const Side& side, int64_t r, Value* spare) {
    const int64_t first = side.offset + r * side.row;
    if (first >= 0 && first + side.row <= side.length) return record + first;
    std::memset(static_cast<void*>(spare), 0, side.row * sizeof(Value));
    const int64_t low = std::max<int64_t>(first, 0), high = std::min(first + side.row, side.length);
    if (low < high)
        std::memcpy(static_cast<void*>(spare + (low - first)), record + low, (high - low) * sizeof(Value));
    return spare;
}

// v[point][tile] = B x, for `n` tiles from number `first` on, of all records in a row.
template <typename Value, int POINTS, int OUTPUTS>
void spread(const Job& job, int64_t first, int64_t n, int64_t per_record, float* v, Value* spare) {
    const Value* x = static_cast<const Value*>(job.x);
    const int64_t row = job.in.row;
    for (int64_t k = 0; k < n; ++k) {
        const int64_t record = (first + k) / per_record, tile = (first + k) % per_record;
        const Value* rows[POINTS];
        for (int i = 0; i < POINTS; ++i)
            rows[i] = row_of(x + record * job.in.length, job.in, tile * OUTPUTS + i, spare + i * row);
        for (int64_t c = 0; c < row; c += LANES) {
            Vector values[POINTS];
            for (int i = 0; i < POINTS; ++i) values[i] = load(rows[i] + c);
            for (int p = 0; p < POINTS; ++p) {
                Vector sum = job.b[p * POINTS] * values[0];
                for (int i = 1; i < POINTS; ++i) sum += job.b[p * POINTS + i] * values[i];
                store(v + (p * job.group + k) * row + c, sum);
            }
        }
    }
}

// product[N rows][PANEL] = v[N rows][depth] u[depth][PANEL], rows `row` apart.
template <int N>
inline void multiply(const float* v, int64_t row, const float* u, int64_t depth, float* product) {
    Vector sums[N][VECTORS] = {};
    for (int64_t k = 0; k < depth; ++k) {
        Vector weights[VECTORS];
        for (int j = 0; j < VECTORS; ++j) weights[j] = load(u + k * PANEL + j * LANES);
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < VECTORS; ++j) sums[i][j] += v[i * row + k] * weights[j];
    }
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < VECTORS; ++j) store(product + i * PANEL + j * LANES, sums[i][j]);
}

template <int N>
void multiply_upto(int n, const float* v, int64_t row, const float* u, int64_t depth, float* product) {
    if constexpr (N > 0) {
        if (n == N)
            multiply<N>(v, row, u, depth, product);
        else
            multiply_upto<N - 1>(n, v, row, u, depth, product);
    }
}

// y = A product + bias, for `n` tiles from `first` on.
template <typename Value, int POINTS, int OUTPUTS>
void lay_out(const Job& job, int64_t first, int64_t n, int64_t per_record, int64_t column, const float* products) {
    Value* y = static_cast<Value*>(job.y);
    for (int64_t k = 0; k < n; ++k) {
        const int64_t record = (first + k) / per_record, tile = (first + k) % per_record;
        for (int j = 0; j < VECTORS; ++j) {
            const int64_t c = column + j * LANES;
            Vector values[POINTS];
            for (int p = 0; p < POINTS; ++p) values[p] = load(products + (p * ROWS + k) * PANEL + j * LANES);
            for (int o = 0; o < OUTPUTS; ++o) {
                const int64_t at = job.out.offset + (tile * OUTPUTS + o) * job.out.row + c;
                if (at < 0 || at >= job.out.length) continue;
                Vector sum = job.a[o * POINTS] * values[0];
                for (int p = 1; p < POINTS; ++p) sum += job.a[o * POINTS + p] * values[p];
                if (job.bias) sum += load(job.bias + c);
                store(y + record * job.out.length + at, sum);
            }
        }
    }
}

// Take groups of tiles until none is left. With several pieces, a window reaches over so many tiles of one record.
template <typename Value, int POINTS, int OUTPUTS>
void work(void* given) {
    Job& job = *static_cast<Job*>(given);
    const int64_t row = job.in.row, depth = job.pieces * row, more = job.pieces - 1;
    const int64_t per_record = job.tiles + more, step = job.group - more;
    // One piece: tiles of all records in a row. More: those of each record for themselves.
    const int64_t stretch = more ? job.tiles : job.batch * job.tiles, stretches = more ? job.batch : 1;
    const int64_t groups = (stretch + step - 1) / step;
    std::vector<float> v(POINTS * job.group * row);
    std::vector<Value> spare(POINTS * row);
    alignas(64) float products[POINTS * ROWS * PANEL];
    for (int64_t item; (item = job.next.fetch_add(1)) < groups * stretches;) {
        const int64_t from = item % groups * step, n = std::min(step, stretch - from);
        const int64_t base = item / groups;  // the record, where each is for itself
        spread<Value, POINTS, OUTPUTS>(job, base * per_record + from, n + more, per_record, v.data(), spare.data());
        for (int64_t column = 0; column < job.units; column += PANEL) {
            const float* u = job.u + column * POINTS * depth;
            for (int64_t k = 0; k < n; k += ROWS) {
                const int count = static_cast<int>(std::min<int64_t>(ROWS, n - k));
                for (int p = 0; p < POINTS; ++p)
                    multiply_upto<ROWS>(count, v.data() + (p * job.group + k) * row, row, u + p * depth * PANEL, depth,
                                        products + p * ROWS * PANEL);
                lay_out<Value, POINTS, OUTPUTS>(job, base * job.tiles + from + k, count, job.tiles, column, products);
            }
        }
    }
}

// g[panel][point][tile] = A' gradient, for `n` tiles from `first` on: the adjoint of `lay_out`.
template <typename Value, int POINTS, int OUTPUTS>
void gather(const Job& job, int64_t first, int64_t n, int64_t room, float* g) {
    for (int64_t k = 0; k < n; ++k) {
        const int64_t record = (first + k) / job.tiles, tile = (first + k) % job.tiles;
        const Value* from = static_cast<const Value*>(job.gradient) + record * job.out.length + tile * OUTPUTS * job.out.row;
        const int64_t rows = std::min<int64_t>(OUTPUTS, job.out.length / job.out.row - tile * OUTPUTS);
        for (int64_t c = 0; c < job.units; c += LANES) {
            Vector values[OUTPUTS];
            for (int o = 0; o < OUTPUTS; ++o) values[o] = o < rows ? load(from + o * job.out.row + c) : Vector{};
            for (int p = 0; p < POINTS; ++p) {
                Vector sum = job.a[p] * values[0];
                for (int o = 1; o < OUTPUTS; ++o) sum += job.a[o * POINTS + p] * values[o];
                store(g + ((c / PANEL * POINTS + p) * room + k) * PANEL + c % PANEL, sum);
            }
        }
    }
}

// du[N rows][PANEL] += v' g over `n` tiles: v[tile][N of depth], tiles `row` apart, g[tile][PANEL].
template <int N>
inline void accumulate(const float* v, int64_t row, const float* g, int64_t n, float* du) {
    Vector sums[N][VECTORS];
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < VECTORS; ++j) sums[i][j] = load(du + i * PANEL + j * LANES);
    for (int64_t k = 0; k < n; ++k) {
        Vector values[VECTORS];
        for (int j = 0; j < VECTORS; ++j) values[j] = load(g + k * PANEL + j * LANES);
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < VECTORS; ++j) sums[i][j] += v[k * row + i] * values[j];
    }
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < VECTORS; ++j) store(du + i * PANEL + j * LANES, sums[i][j]);
}

template <int N>
void accumulate_upto(int n, const float* v, int64_t row, const float* g, int64_t tiles, float* du) {
    if constexpr (N > 0) {
        if (n == N)
            accumulate<N>(v, row, g, tiles, du);
        else
            accumulate_upto<N - 1>(n, v, row, g, tiles, du);
    }
}

// Add up the gradient of the transformed windows over every `slots`-th group of tiles, so that the order of the sum
// depends on how many slots there are and not on which thread is the faster.
template <typename Value, int POINTS, int OUTPUTS>
void learn(void* given) {
    Job& job = *static_cast<Job*>(given);
    const int64_t row = job.in.row, depth = job.pieces * row, more = job.pieces - 1, step = job.group - more;
    const int64_t per_record = job.tiles + more;
    const int64_t stretch = more ? job.tiles : job.batch * job.tiles, stretches = more ? job.batch : 1;
    const int64_t groups = (stretch + step - 1) / step, size = POINTS * depth * job.units;
    std::vector<float> v(POINTS * job.group * row), g(POINTS * step * job.units);
    std::vector<Value> spare(POINTS * row);
    for (int64_t slot; (slot = job.next.fetch_add(1)) < job.slots;) {
        float* du = static_cast<float*>(job.y) + slot * size;
        std::memset(du, 0, size * sizeof(float));
        for (int64_t item = slot; item < groups * stretches; item += job.slots) {
            const int64_t from = item % groups * step, n = std::min(step, stretch - from), base = item / groups;
            spread<Value, POINTS, OUTPUTS>(job, base * per_record + from, n + more, per_record, v.data(), spare.data());
            gather<Value, POINTS, OUTPUTS>(job, base * job.tiles + from, n, step, g.data());
            for (int p = 0; p < POINTS; ++p)
                for (int64_t panel = 0; panel < job.units / PANEL; ++panel)
                    for (int64_t i = 0; i < depth; i += ROWS)
                        accumulate_upto<ROWS>(static_cast<int>(std::min<int64_t>(ROWS, depth - i)),
                                              v.data() + p * job.group * row + i, row,
                                              g.data() + (panel * POINTS + p) * step * PANEL, n,
                                              du + ((panel * POINTS + p) * depth + i) * PANEL);
        }
    }
}

// u = G w for one panel of units after the other: w (pieces, taps, row, units), u (panels, points, pieces * row, PANEL).
struct Weights {
    const float* w;
    const float* g;  // (points, taps)
    float* u;
    int64_t pieces, taps, row, units, points;
    std::atomic<int64_t> next{0};
};

void weigh(void* given) {
    Weights& job = *static_cast<Weights*>(given);
    const int64_t depth = job.pieces * job.row, panels = job.units / PANEL;
    for (int64_t item; (item = job.next.fetch_add(1)) < panels * job.pieces;) {
        const int64_t panel = item / job.pieces, piece = item % job.pieces;
        const float* w = job.w + piece * job.taps * job.row * job.units + panel * PANEL;
        float* u = job.u + (panel * job.points * depth + piece * job.row) * PANEL;
        for (int64_t k = 0; k < job.row; ++k)
            for (int64_t p = 0; p < job.points; ++p)
                for (int j = 0; j < PANEL; j += LANES) {
                    Vector sum = {};
                    for (int64_t t = 0; t < job.taps; ++t)
                        sum += job.g[p * job.taps + t] * load(w + (t * job.row + k) * job.units + j);
                    store(u + (p * depth + k) * PANEL + j, sum);
                }
    }
}

typedef void (*Work)(void*);
typedef void (*Parallel)(Work, void*, unsigned, unsigned);

// Do the work on so many threads. `parallel` is OpenMP's own entry of the library that torch computes with, so that no
// second pool of threads waits beside the first; without it, on threads of our own.
void share(Work work, void* job, int64_t threads, Parallel parallel) {
    if (threads > 1 && parallel) return parallel(work, job, static_cast<unsigned>(threads), 0);
    std::vector<std::thread> helpers;
    for (int64_t k = 1; k < threads; ++k) helpers.emplace_back(work, job);
    work(job);
    for (auto& helper : helpers) helper.join();
}

template <typename Value, int POINTS, int OUTPUTS>
Work either(bool learns) {
    return learns ? learn<Value, POINTS, OUTPUTS> : work<Value, POINTS, OUTPUTS>;
}

template <typename Value>
Work work_on(int64_t points, int64_t outputs, bool learns) {
    if (points == 7 && outputs == 4) return either<Value, 7, 4>(learns);
    if (points == 8 && outputs == 4) return either<Value, 8, 4>(learns);
    if (points == 8 && outputs == 5) return either<Value, 8, 5>(learns);
    if (points == 8 && outputs == 6) return either<Value, 8, 6>(learns);
    if (points == 8 && outputs == 7) return either<Value, 8, 7>(learns);
    return nullptr;
}

Work work_for(const int64_t* sizes, bool learns) {
    return (sizes[13] ? work_on<Half> : work_on<float>)(sizes[4], sizes[5], learns);
}

// sizes: batch, tiles, pieces, units, points, outputs, threads, in (length, row, offset), out (the same), bfloat16.
void read_sizes(Job& job, const int64_t* sizes) {
    job.batch = sizes[0], job.tiles = sizes[1], job.pieces = sizes[2], job.units = sizes[3];
    job.in = {sizes[7], sizes[8], sizes[9]};
    job.out = {sizes[10], sizes[11], sizes[12]};
}

}  // namespace

extern "C" {

int64_t panel() { return PANEL; }

// sizes: pieces, taps, row, units, points, threads.
void transform_weights(const float* w, const float* g, float* u, const int64_t* sizes, Parallel parallel) {
    Weights job;
    job.w = w, job.g = g, job.u = u;
    job.pieces = sizes[0], job.taps = sizes[1], job.row = sizes[2], job.units = sizes[3], job.points = sizes[4];
    share(weigh, &job, sizes[5], parallel);
}

// Returns whether there is such a transform; sizes as above.
int64_t filter(const void* x, const float* u, const float* bias, void* y, const float* a, const float* b,
               const int64_t* sizes, Parallel parallel) {
    Job job;
    read_sizes(job, sizes);
    job.x = x, job.u = u, job.bias = bias, job.y = y, job.a = a, job.b = b;
    const int64_t points = sizes[4], fit = CACHED / (points * job.in.row) / ROWS * ROWS;
    job.group = std::max<int64_t>(fit, ROWS) + job.pieces - 1;
    const Work work = work_for(sizes, false);
    if (work) share(work, &job, sizes[6], parallel);
    return work != nullptr;
}

// du (threads, panels, points, pieces * row, PANEL): the gradient of the transformed windows is their sum.
int64_t filter_back(const void* x, const void* gradient, float* du, const float* a, const float* b,
                    const int64_t* sizes, Parallel parallel) {
    Job job;
    read_sizes(job, sizes);
    job.x = x, job.gradient = gradient, job.y = du, job.a = a, job.b = b;
    job.slots = sizes[6];
    const int64_t points = sizes[4], fit = CACHED_BACK / (points * (job.in.row + job.units));
    job.group = std::max<int64_t>(fit, 4 * ROWS) + job.pieces - 1;
    const Work work = work_for(sizes, true);
    if (work) share(work, &job, sizes[6], parallel);
    return work != nullptr;
}

}  // extern "C"
