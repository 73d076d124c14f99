"""What a comparison is asked: networks, shares, seeds and what else, completed by what the experiment says.

Refuses what cannot be before anything is trained; must not know trials.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vicinal.errors import ExperimentError
from vicinal.evidence.metric import in_words
from vicinal.experiment import Experiment
from vicinal.representations.matching import By
from vicinal.workflow.measuring import metrics_known

__all__ = ["Asked", "completed", "words_of"]


@dataclass(frozen=True)
class Asked:
    """What is compared.

    Args:    networks: names, see `contenders`; none: the experiment's own.  vary: "KEY=A,B".
             by: what widths are matched on.
             shares: of the training subjects, above 0 to 1; none: 0.1, 0.25, 0.5 and 1 of several networks, else 1.
             seeds: how many.
             rates: learning rates that are tried for each network on validation rows; none: a third, once and
             three times the experiment's, of several networks, else the experiment's alone.
             cut: names of networks that are also trained cut to fewer stages; none of several networks: all.
             metric: of the test rows; None: AUROC, or accuracy of exclusive classes.
             target: of the metric, for the number of subjects that it takes; None: what they reach, see `summing_up`.
    """

    networks: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()
    by: By = "parameters"
    shares: tuple[float, ...] = ()
    seeds: int = 3
    rates: tuple[float, ...] = ()
    cut: tuple[str, ...] | None = None
    metric: str | None = None
    target: float | None = None


def completed(asked: Asked, experiment: Experiment) -> Asked:
    """Return what was asked with what was left open.

    Raises:  ExperimentError: for what cannot be, naming the option.
    """
    several = bool(asked.networks)
    task = experiment.inputs.task
    known = metrics_known(task)
    if asked.metric is not None and asked.metric not in known:
        raise ExperimentError(f"--metric {asked.metric!r}: expected one of {', '.join(known)} for this task.")
    metric = asked.metric or known[0]
    if asked.seeds < 1:
        raise ExperimentError(f"--seeds: expected 1 or more, got {asked.seeds}.")
    if any(not 0 < share <= 1 for share in asked.shares):
        raise ExperimentError(
            f"--fractions: expected shares above 0, at most 1, got {_listed(asked.shares)}."
        )
    if any(not 0 < rate <= 10 for rate in asked.rates):
        raise ExperimentError(
            f"--rates: expected learning rates above 0, at most 10, got {_listed(asked.rates)}."
        )
    if asked.target is not None and not 0 < asked.target <= 1:
        raise ExperimentError(
            f"--target: expected {in_words(metric)} above 0, at most 1, got {asked.target:g}. "
            "Leave it out for what the networks reach."
        )
    _refuse_mixed_removal(asked)
    rate = experiment.training.learning_rate
    varies_rate = any(text.startswith("training.learning_rate") for text in asked.vary)
    near = tuple(float(f"{rate * times:.2g}") for times in (1 / 3, 1, 3))
    rates = tuple(dict.fromkeys(asked.rates)) or (near if several and not varies_rate else ())
    if varies_rate and asked.rates:
        raise ExperimentError(
            "--rates are tried for each network, so training.learning_rate cannot vary too."
        )
    shares = sorted({*asked.shares, 1.0}) if asked.shares else ((0.1, 0.25, 0.5, 1.0) if several else (1.0,))
    return replace(
        asked,
        metric=metric,
        rates=rates,
        shares=tuple(shares),
        cut=asked.cut if asked.cut is not None else (None if several else ()),
    )


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _refuse_mixed_removal(asked: Asked) -> None:
    """What was gained by a step is told of one network, against one whole."""
    removes = [text.endswith("=without") for text in asked.vary]
    if any(removes) and (len(asked.networks) > 1 or not all(removes)):
        raise ExperimentError(
            "--vary KEY=without: expected one network and nothing else that varies, so that each step is told "
            "against the same whole. Compare networks, or other values, on their own."
        )


def words_of(asked: Asked, overrides: Iterable[str]) -> list[str]:
    """Return the options that ask for the same on a command line."""
    words: list[str] = ["--networks", ",".join(asked.networks)] if asked.networks else []
    words += ["--match", asked.by] if asked.by != "parameters" else []
    for text in asked.vary:
        words += ["--vary", text]
    words += ["--fractions", ",".join(f"{share:g}" for share in asked.shares), "--seeds", str(asked.seeds)]
    words += ["--rates", ",".join(f"{rate:.6g}" for rate in asked.rates)] if asked.rates else []
    words += ["--metric", asked.metric] if asked.metric is not None else []
    words += ["--target", f"{asked.target:g}"] if asked.target is not None else []
    words += ["--cut", ",".join(asked.cut) or "none"] if asked.cut is not None else []
    for text in overrides:
        words += ["--set", text]
    return words
