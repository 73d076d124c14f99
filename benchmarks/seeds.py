"""How often intervals of the difference of two networks cover it, where subjects and a few seeds both move it.

    python benchmarks/seeds.py

Errors of seeds are normal, of another size for every network (log-normal, spread SPREAD); those of subjects have a
standard deviation of 1 and are known from resamples. The ways to make the interval:

    ours       `between` of `evidence/ladder/estimate.py`: seeds after Welch, subjects and seeds added after Howe
    paired     the same with the differences seed by seed, a t of 2 degrees of freedom for three seeds
    bootstrap  percentiles, subjects and seeds both drawn again
    pooled     one variance of seeds for all networks of the comparison

Prints how often the truth is covered at 95 % and at the level of one of 45 pairs (Bonferroni), and the median width.
"""

import numpy as np
from scipy.stats import t as student

from vicinal.evidence.ladder.estimate import between, estimate
from vicinal.evidence.ladder.sample import Sample

DRAWS, RESAMPLES, SEEDS, NETWORKS, SUBJECTS, SPREAD = 1000, 1000, 3, 6, 100, 0.5
LEVELS = (0.95, 1 - 0.05 / 45)
SCALE = 1e-3
"""Of all errors, so that no interval meets the ends of a share."""


def intervals(of_seeds: float, rng: np.random.Generator) -> dict[str, list[tuple[float, float]]]:
    """Return for each way the interval at each level; the true difference is 0."""
    common, resampled = rng.normal(), rng.normal(size=RESAMPLES)
    samples, raw = [], []
    for size in of_seeds * np.exp(SPREAD * rng.normal(size=NETWORKS)):
        values = 0.7 * common + 0.7 * rng.normal() + size * rng.normal(size=SEEDS)
        moved = 0.7 * resampled + 0.7 * rng.normal(size=RESAMPLES)
        raw.append((values, moved))
        samples.append(Sample(SCALE * values, SCALE * (values[:, None] + moved), SUBJECTS))
    a, b = samples[:2]
    drawn = [
        values[rng.integers(0, SEEDS, (RESAMPLES, SEEDS))].mean(axis=1) + moved for values, moved in raw[:2]
    ]
    subjects = float((raw[0][1] - raw[1][1]).std(ddof=1))
    pooled = np.sqrt(np.mean([values.var(ddof=1) for values, _ in raw]) * 2 / SEEDS)
    found: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("ours", "paired", "bootstrap", "pooled")
    }
    for level in LEVELS:
        ours = estimate(between(a, b), scale="difference", level=level)
        paired = estimate(a - b, scale="difference", level=level)
        found["ours"].append((ours.low / SCALE, ours.high / SCALE))
        found["paired"].append((paired.low / SCALE, paired.high / SCALE))
        low, high = np.quantile(drawn[0] - drawn[1], [(1 - level) / 2, (1 + level) / 2])
        found["bootstrap"].append((float(low), float(high)))
        times = student.ppf((1 + level) / 2, [SUBJECTS - 1, NETWORKS * (SEEDS - 1)])
        value, reach = (a.value - b.value) / SCALE, float(np.hypot(subjects * times[0], pooled * times[1]))
        found["pooled"].append((value - reach, value + reach))
    return found


def main() -> None:
    """Draw and print."""
    for of_seeds in (0.3, 1.0, 3.0, 30.0):
        rng = np.random.default_rng(0)
        made = [intervals(of_seeds, rng) for _ in range(DRAWS)]
        print(
            f"seeds {of_seeds:g} times as large as subjects: covered at {LEVELS[0]:.0%}, {LEVELS[1]:.2%}; median width"
        )
        for name in made[0]:
            ends = np.array([one[name] for one in made])
            covered = ((ends[:, :, 0] <= 0) & (ends[:, :, 1] >= 0)).mean(axis=0)
            widths = np.median(ends[:, :, 1] - ends[:, :, 0], axis=0)
            print(f"  {name:9}  {covered[0]:.3f}, {covered[1]:.4f}; {widths[0]:.2f}, {widths[1]:.2f}")


if __name__ == "__main__":
    main()
