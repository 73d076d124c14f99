"""SignalClassifier: arrays in, probabilities and decisions out, the scikit-learn way.

The same network text, training, calibration, policy and model file as everywhere else; only files and packs are
left out. What arrays may look like is in `arrays.py`.
"""

import math
import numbers
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float32, Float64, Int8, Int64
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from vicinal.arrays import Labels, fingerprints, read_known_labels, read_labels, read_signals, read_subjects
from vicinal.decisions.calibration import fit_calibration
from vicinal.decisions.policy import fit_policy
from vicinal.decisions.thresholds import Refer
from vicinal.errors import ContractError, ExperimentError
from vicinal.inputs.batches import ArrayRows
from vicinal.inputs.contract import Contract
from vicinal.inputs.reference import describe
from vicinal.inputs.splits import Split, assign
from vicinal.proposal.budget import propose_budget, propose_learning_rate
from vicinal.proposal.network import propose_network
from vicinal.representations.inspection import Inspection, inspect
from vicinal.scores.model import Model
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET, Terminal
from vicinal.training.config import TrainingConfig
from vicinal.workflow.learning import Learned, learn
from vicinal.workflow.lesson import lesson_of

__all__ = ["SignalClassifier"]

_UNSEEN: tuple[Role, ...] = ("validation", "calibration", "out_of_fold", "test")


@dataclass(frozen=True)
class _Seen:
    """Signals and subjects that something was fitted on."""

    signals: frozenset[bytes] = frozenset()
    subjects: frozenset[str] = frozenset()


class SignalClassifier(ClassifierMixin, BaseEstimator):
    """A network over signals, with `fit`, `predict_proba`, `predict`, and decisions that meet an aim.

    Args:    network: a network text, the name of a preset, or "auto" for a small residual network that fits the
             shape and number of the signals, as `vicinal init` proposes.
             epochs, minutes: the budget of training; without either, the one that `vicinal init` would propose.
             batch: signals a step; None for 8 to 64, by how many there are.
             learning_rate: None for 1e-2 where the network has fewer than 10,000 weights, else 2e-3.
             weight_decay, augment: see `vicinal.training.config.TrainingConfig`.
             positive: that of two classes which `decide` and the model file are about, such as "disease"; None for
             the second in alphabetical order.
             validation: share of the subjects (groups) that selects the best epoch and calibrates, 0 to 1.
             select: the validation metric by which the best epoch is kept: "loss", "auroc" or "average_precision" (two
             classes), "macro_auroc" (several); "auto" takes the AUROC.
             rate_hz: positions a second, for augmentation, `channels` and `units`: names and unit of the values, for
             the contract of the model file.
             verbose: show progress on standard error.
             random_state: of the split, the weights and the order; a number gives the same model at each fit, None
             or a RandomState another one.
    After `fit`: `classes_`, `n_features_in_` (values a signal), `feature_names_in_` (of a data frame), `model_` (a
    `vicinal.scores.model.Model`, which `save` writes), `history_` (one record for each validation).
    """

    # With metadata routing on, cross_val_score and the like hand subjects on to `fit`, not to folds alone.
    __metadata_request__fit = {"groups": True}  # noqa: RUF012  # scikit-learn's name for it

    def __init__(
        self,
        network: str = "auto",
        *,
        epochs: int | None = None,
        minutes: float | None = None,
        batch: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float = 1e-2,
        augment: Sequence[Mapping[str, Any]] = (),
        positive: Any = None,
        validation: float = 0.2,
        select: str = "auto",
        rate_hz: float = 1.0,
        channels: Sequence[str] | None = None,
        units: str = "1",
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.network = network
        self.epochs = epochs
        self.minutes = minutes
        self.batch = batch
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.augment = augment
        self.positive = positive
        self.validation = validation
        self.select = select
        self.rate_hz = rate_hz
        self.channels = channels
        self.units = units
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Train on signals `X` (n, channels, time), (n, time) or (n, channels, height, width).

        There is neither `sample_weight` nor `class_weight`: what errors cost belongs into the aim of `fit_policy`.

        Args:    y: (n,) the class of each signal, or (n, K) of 0 and 1, a column for each label.
                 groups: (n,) the subject of each signal, who never stands on both sides of the validation
                 split; None assumes one signal for each subject.
        Raises:  ContractError: when `X`, `y` or `groups` is not of that shape, holds values that are not finite, or
                 has too few signals of a class.
                 ExperimentError: when a parameter is wrong, or there are too few subjects.
        """
        self._check_parameters()
        samples = self._signals(X, reset=True)
        labels = read_labels(y, len(samples), positive=self.positive)
        subjects = None if groups is None else read_subjects(groups, len(samples))
        seed = self._seed()
        split = self._split(labels, subjects, seed=seed)
        rows = ArrayRows(samples, _full(samples), labels.truth)
        learned = self._learn(rows, labels, split, seed=seed)
        validation = split.indices("validation")
        scorer = learned.model.scorer()
        table = scorer.table(
            scorer.logits(*rows.rows(validation)),
            ids=validation.astype(str),
            role="validation",
            truth=rows.truth[validation],
        )
        self.classes_ = labels.classes
        self._labels = replace(labels, truth=labels.truth[:0])
        self._learned_from = _seen(samples, subjects)
        self._decided_from = _Seen()
        # The AUROC that chose the epoch says nothing of where 0 lies among the logits, and a temperature moves no
        # 0: for two classes Platt's intercept does, so that `predict` is worth what the ranking is.
        kind = "platt" if labels.task == "binary" else "auto"
        self.model_: Model = replace(learned.model, calibration=fit_calibration(table, kind))
        self.history_ = learned.fitted.history
        return self

    def decision_function(self, X: Any) -> Float64[np.ndarray, "n *k"]:
        """Return calibrated log odds: (n,) for two classes, of the second of `classes_`, else (n, K).

        Their sigmoid is `predict_proba`, of several classes their softmax; they rank where probabilities are all 1.

        Raises:  ContractError: when the signals are not of the shape that `fit` saw.
        """
        check_is_fitted(self, "model_")
        odds = self.model_.calibration.log_odds(self._logits(self._signals(X, reset=False)))
        if self._labels.task != "binary":
            return odds
        return odds[:, 0] if self._labels.positive == 1 else -odds[:, 0]

    def predict_proba(self, X: Any) -> Float64[np.ndarray, "n classes"]:
        """Return calibrated probabilities, one column for each of `classes_`; those of labels need not sum to 1.

        Raises:  ContractError: when the signals are not of the shape that `fit` saw.
        """
        check_is_fitted(self, "model_")
        p = self.model_.calibration.apply(self._logits(self._signals(X, reset=False)))
        if self._labels.task != "binary":
            return p
        return np.hstack([1 - p, p] if self._labels.positive == 1 else [p, 1 - p])

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each signal, or (n, K) of 0 and 1, the labels more probable than not.

        What a miss and a false alarm cost is not in it: `decide` meets an aim.
        """
        odds = self.decision_function(X)
        if self._labels.task == "labels":
            return (odds > 0).astype(np.int64)
        codes = (odds > 0).astype(np.int64) if odds.ndim == 1 else odds.argmax(axis=1)
        classes: np.ndarray = self.classes_[codes]
        return classes

    def score_table(self, X: Any, y: Any, *, groups: Any = None, role: Role = "test") -> ScoreTable:
        """Score signals of known truth, for `vicinal.decisions` and `vicinal.evidence`.

        Args:    y, groups: as in `fit`; classes that do not appear are no fault.
                 role: what these rows are for. Those that judge or decide must be new.
        Raises:  ContractError: as `fit`; also when signals or subjects were in `fit`, or, in the role of test,
                 in `fit_policy`.
        """
        check_is_fitted(self, "model_")
        samples = self._signals(X, reset=False)
        truth = read_known_labels(y, len(samples), like=self._labels).truth
        subjects = None if groups is None else read_subjects(groups, len(samples))
        if role in _UNSEEN:
            _check_new(samples, subjects, self._learned_from, what="fit", role=role)
        if role == "test":
            _check_new(samples, subjects, self._decided_from, what="fit_policy", role=role)
        return self.model_.scorer().table(
            self._logits(samples),
            ids=np.arange(len(samples)).astype(str),
            role=role,
            truth=truth,
            subjects=subjects,
        )

    def fit_policy(
        self,
        X: Any,
        y: Any,
        *,
        aim: str,
        groups: Any = None,
        confidence: float | None = None,
        prevalence: float | None = None,
        refer: Refer | None = None,
    ) -> Self:
        """Fit thresholds to an aim in words, on signals that `fit` has not seen; `decide` then uses them.

        Args:    aim: "sensitivity >= 0.95", "cost miss=50 alarm=1", ...; "argmax" for more than two classes.
                 confidence, prevalence, refer: see `vicinal.decisions.policy.fit_policy`.
        Raises:  ContractError: as `score_table`.  ExperimentError: when aim and arguments do not fit the task.
                 InfeasibleError: when these signals cannot meet the aim.
        """
        table = self.score_table(X, y, groups=groups, role="calibration")
        policy = fit_policy(
            table, aim=aim, confidence=confidence, prevalence=prevalence, refer=refer, seed=self._seed()
        )
        self.model_ = self.model_.with_policy(policy)
        subjects = None if table.subjects is None else table.subjects
        self._decided_from = _seen(self._signals(X, reset=False), subjects)
        return self

    def decide(self, X: Any) -> Int8[np.ndarray, "n *k"]:
        """Return 1 (positive), 0 (negative) or -1 (referred to a person): (n,) for two classes, else (n, K).

        Raises:  ExperimentError: when no policy was fitted.  ContractError: as `predict_proba`.
        """
        check_is_fitted(self, "model_")
        policy = self.model_.policy
        if policy is None:
            raise ExperimentError(
                'decide: there is no policy yet. Call fit_policy(X, y, aim="sensitivity >= 0.95") first, with signals '
                "that were not in fit."
            )
        logits = self._logits(self._signals(X, reset=False))
        decisions = policy.decide(self.model_.calibration.apply(logits))
        return decisions[:, 0] if self._labels.task == "binary" else decisions

    def save(self, path: Path | str) -> None:
        """Write `model.vicinal`; `vicinal.load` reads it, and so do `vicinal score` and `vicinal trace`."""
        check_is_fitted(self, "model_")
        self.model_.save(Path(path))

    def _check_parameters(self) -> None:
        """Refuse what would end in an error that names no parameter; the others are checked where they are used.

        Raises:  ExperimentError: naming every one.
        """
        given: dict[str, Any] = self.get_params(deep=False)
        network, augment, channels = given["network"], given["augment"], given["channels"]
        problems = []
        if not isinstance(network, str):
            problems.append(
                f'network: expected a network text, the name of a preset, or "auto", got {network!r}'
            )
        if not (_is_number(self.validation) and 0 < self.validation < 1):
            problems.append(f"validation: expected a share between 0 and 1, got {self.validation!r}")
        if not (_is_number(self.rate_hz) and 0 < self.rate_hz < math.inf):
            problems.append(f"rate_hz: expected a rate above 0, got {self.rate_hz!r}")
        if not (_is_list(augment) and all(isinstance(step, Mapping) for step in augment)):
            problems.append(f'augment: expected a list of steps such as {{"kind": "gain"}}, got {augment!r}')
        if channels is not None and not _is_list(channels):
            problems.append(f'channels: expected a list of names such as ["II"], got {channels!r}')
        if problems:
            raise ExperimentError("; ".join(problems) + ".")

    def _signals(self, X: Any, *, reset: bool) -> Float32[np.ndarray, "n channels *positions"]:
        array = read_signals(X)
        is_table = array.ndim == 2
        samples = array[:, None] if is_table else array
        expected = None if reset else self.model_.input_shape
        if is_table and (expected is None or (len(expected) == 2 and expected[0] == 1)):
            try:
                validate_data(self, X, reset=reset, skip_check_array=True)
            except ValueError as error:
                raise ContractError(f"X: {error}") from error
        elif reset:
            _warn_of_time_first(samples.shape)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = int(np.prod(samples.shape[1:]))
        if expected is not None and samples.shape[1:] != expected:
            if array.shape == expected:
                raise ContractError(f"X: expected signals, got one alone, of shape {expected}. Give X[None].")
            raise ContractError(
                f"X: expected signals of shape {expected}, got {samples.shape[1:]}. "
                "Give signals like those that fit saw."
            )
        return samples

    def _logits(self, samples: Float32[np.ndarray, "n channels *positions"]) -> Float64[np.ndarray, "n k"]:
        return self.model_.scorer().logits(samples, _full(samples))

    def _seed(self) -> int:
        state: Any = self.random_state
        if isinstance(state, numbers.Integral):
            if state < 0:
                raise ExperimentError(f"random_state: expected a number of at least 0, got {state}.")
            return int(state)
        try:
            return int(check_random_state(state).randint(2**31 - 1))
        except ValueError as error:
            raise ExperimentError(f"random_state: {error}.") from error

    def _split(self, labels: Labels, subjects: np.ndarray | None, *, seed: int) -> Split:
        """Set validation rows aside, so that both parts have what they need.

        Raises:  ContractError: when a class has too few signals or subjects for that.
        """
        ids = np.arange(len(labels.truth)).astype(str)
        groups = ids if subjects is None else subjects
        shares = np.array([1 - self.validation, self.validation])
        parts = np.array(["train", "validation"])[assign(groups, labels.strata, shares=shares, seed=seed)]
        split = Split(ids=ids, parts=parts)
        train = labels.truth[split.indices("train")]
        validation = labels.truth[split.indices("validation")]
        is_lacking = any(len(np.unique(column)) < 2 for column in train.T)
        if is_lacking or len(np.unique(validation, axis=0)) < 2:
            counts = ", ".join(
                f"{name!r} {len(np.unique(groups[rows]))}" for name, rows in _rows_by_class(labels)
            )
            what = "signals" if subjects is None else "subjects"
            raise ContractError(
                f"y: {100 * self.validation:.3g} % of the {what} are set aside for validation, and then a class is "
                f"missing there or in training; {what} by class: {counts}. Give more {what} of the rare class, or "
                "change validation."
            )
        return split

    def _contract(self, shape: tuple[int, ...]) -> Contract:
        n_channels, *positions = shape
        channels = [str(k) for k in range(n_channels)] if self.channels is None else list(self.channels)
        if len(channels) != n_channels:
            raise ContractError(
                f"channels: expected {n_channels} names, as X has channels, got {len(channels)}: {channels}."
            )
        common = {"channels": channels, "units": self.units}
        if len(positions) == 2:
            return Contract.from_dict({**common, "axes": ["height", "width"], "size": positions})
        seconds = positions[0] / self.rate_hz
        return Contract.from_dict({**common, "rate_hz": self.rate_hz, "duration_s": seconds})

    def _learn(self, rows: ArrayRows, labels: Labels, split: Split, *, seed: int) -> Learned:
        contract, train = self._contract(rows.x.shape[1:]), split.indices("train")
        about: dict[str, Any] = {
            "input_shape": contract.input_shape,
            "n_outputs": len(labels.names),
            "rate_hz": contract.position_rate_hz,
        }
        if self.network == "auto":
            proposal = propose_network(n_train=len(train), **about)
            text, cost = proposal.text, proposal.inspection
        else:
            text, cost = self.network, inspect(self.network, **about)
        learned = learn(
            lesson_of(
                rows,
                train=train,
                validation=split.indices("validation"),
                network=text,
                contract=contract,
                task=labels.task,
                classes=labels.names,
                config=self._config(n_train=len(train), cost=cost),
                seed=seed,
            ),
            show=Terminal() if self.verbose else QUIET,
        )
        reference = describe(rows, train, contract)
        return replace(learned, model=replace(learned.model, reference=reference))

    def _config(self, *, n_train: int, cost: Inspection) -> TrainingConfig:
        proposal = propose_budget(n_train=n_train, multiply_adds=cost.multiply_adds)
        rate = propose_learning_rate(cost.parameters) if self.learning_rate is None else self.learning_rate
        epochs, minutes, patience = self.epochs, self.minutes, None
        if epochs is None and minutes is None:
            epochs, minutes, patience = proposal.epochs, proposal.minutes, proposal.patience
        try:
            return TrainingConfig(
                minutes=minutes,
                epochs=epochs,
                patience=patience,
                batch=proposal.batch if self.batch is None else self.batch,
                learning_rate=rate,
                weight_decay=self.weight_decay,
                select=self.select,
                augment=tuple(dict(step) for step in self.augment),
            )
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, problem['loc'])) or 'budget'}: {problem['msg']}"
                for problem in error.errors()
            ]
            raise ExperimentError("SignalClassifier: " + "; ".join(problems) + ".") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _warn_of_time_first(shape: tuple[int, ...]) -> None:
    """Warn of signals that look as if they lay the other way round, which trains without a word otherwise."""
    if len(shape) == 3 and shape[1] > shape[2]:
        warnings.warn(
            f"X: {shape[1]} channels of {shape[2]} positions each, where (n, channels, time) is expected. If time "
            "comes before the channels, give X.transpose(0, 2, 1); images need a channel axis, X[:, None].",
            UserWarning,
            stacklevel=4,
        )


def _full(samples: Float32[np.ndarray, "n channels *positions"]) -> Int64[np.ndarray, " n"]:
    return np.full(len(samples), np.prod(samples.shape[2:]), dtype=np.int64)


def _rows_by_class(labels: Labels) -> list[tuple[str, np.ndarray]]:
    positive = labels.truth == 1
    if labels.task == "binary":
        positive = np.hstack([~positive, positive] if labels.positive == 1 else [positive, ~positive])
    names = [str(name) for name in labels.classes.tolist()]
    return [(name, column) for name, column in zip(names, positive.T, strict=True)]


def _seen(samples: Float32[np.ndarray, "n channels *positions"], subjects: np.ndarray | None) -> _Seen:
    return _Seen(frozenset(fingerprints(samples)), frozenset([] if subjects is None else subjects.tolist()))


def _check_new(
    samples: Float32[np.ndarray, "n channels *positions"],
    subjects: np.ndarray | None,
    seen: _Seen,
    *,
    what: str,
    role: Role,
) -> None:
    """Refuse rows that something was fitted on: they would say more good of it than is true.

    Raises:  ContractError: naming signals or subjects.
    """
    again = [k for k, key in enumerate(fingerprints(samples)) if key in seen.signals]
    if again:
        raise ContractError(
            f"X: {len(again)} of {len(samples)} signals were in {what} (first {again[:5]}), so they cannot serve as "
            f"{role} rows. Set signals aside before {what}; of signals that are there twice, keep one."
        )
    shared = sorted(seen.subjects & set([] if subjects is None else subjects.tolist()))
    if shared:
        raise ContractError(
            f"groups: {len(shared)} subjects were in {what} too (first {shared[:5]}), so their signals cannot serve "
            f"as {role} rows. Split by subject, as GroupShuffleSplit does."
        )
