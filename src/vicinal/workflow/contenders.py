"""Contenders: from names of networks and varied keys to the experiments that are compared.

A name is a family, at the width that matches the experiment's own network or at a stated width and number of stages, a
preset, a network text, or `own`. Wiring only: counts are known in `representations/matching.py`.
"""

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vicinal.errors import ExperimentError, NetworkError, did_you_mean
from vicinal.experiment import Experiment, load_experiment
from vicinal.representations.families import FAMILIES, text_at
from vicinal.representations.inspection import Inspection, inspect
from vicinal.representations.matching import By, match
from vicinal.representations.presets import NETWORKS
from vicinal.representations.stack import stack_of

__all__ = ["WITHOUT", "Contender", "contenders", "cuts_of", "parse_vary", "settings_of"]

OWN = "own"
WITHOUT = "without"
"""As the value of a varied list: the whole list, and the list without each of its entries in turn."""


@dataclass(frozen=True)
class Contender:
    """One network with the settings it is trained under.

    Args:    name: in tables.  experiment: with network and settings in place.
             match: how the width was found, in words.  ratio: its count over the reference's; None: not matched.
             settings: keys that were varied.  removed: the entry that was taken out of a list, or None.
             of, n_blocks: for a network cut to fewer blocks, the whole one's name and how many are left.
    """

    name: str
    experiment: Experiment
    n_outputs: int
    match: str = ""
    ratio: float | None = None
    width: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    removed: tuple[str, Any] | None = None
    of: str = ""
    n_blocks: int | None = None

    @property
    def network(self) -> str:
        """The network's text."""
        return self.experiment.representations.network

    def inspect(self) -> Inspection:
        """Count what the network is for the experiment's signals."""
        contract = self.experiment.inputs.contract
        return inspect(
            self.network,
            input_shape=contract.input_shape,
            rate_hz=contract.position_rate_hz,
            n_outputs=self.n_outputs,
        )


def contenders(
    path: Path,
    networks: Sequence[str],
    vary: Sequence[str],
    *,
    by: By,
    overrides: Sequence[str],
    n_outputs: int,
) -> list[Contender]:
    """Return every network under every combination of settings.

    Args:    networks: names; none: the experiment's own.  vary: "KEY=A,B".  by: what widths are matched on.
             n_outputs: what `classes` stands for: 1 for a binary task.
    Raises:  ExperimentError: when a key is not varied rightly, or a name stands twice.
             NetworkError: when a name is none, or does not fit the signals.
    """
    found = []
    for settings, removed in settings_of(path, vary, overrides):
        experiment, _ = load_experiment(path, overrides, settings=dict(settings))
        for name in networks or [OWN]:
            one = _contender(name, experiment, by=by, n_outputs=n_outputs)
            if name == OWN and "representations.network" in dict(settings):
                # Of several that are varied no single one is what the widths of all others are matched to.
                one = replace(
                    one, match="as varied: the reference of its setting" if networks else "as varied"
                )
            found.append(_varied(one, settings, removed, alone=not networks))
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ExperimentError(
            f"compare: {', '.join(twice)} stands twice; every variant needs a name of its own."
        )
    return found


def settings_of(
    path: Path, vary: Sequence[str], overrides: Sequence[str]
) -> Iterator[tuple[tuple[tuple[str, Any], ...], tuple[str, Any] | None]]:
    """Yield the settings of each variant, and the entry that it leaves out of a list.

    Keys with values are combined with each other; lists are shortened one entry at a time.
    """
    parsed = [parse_vary(text) for text in vary]
    shortened = [choices[0][0] for choices in parsed if [value for _, value in choices] == [WITHOUT]]
    plain = [choices for choices in parsed if choices[0][0] not in shortened]
    for combination in itertools.product(*plain):
        yield combination, None
        if shortened:
            experiment, _ = load_experiment(path, overrides, settings=dict(combination))
            for key in shortened:
                entries = _list_at(experiment, key)
                for k, entry in enumerate(entries):
                    rest = [*entries[:k], *entries[k + 1 :]]
                    yield (*combination, (key, rest)), (key, entry)


def parse_vary(text: str) -> list[tuple[str, Any]]:
    """Parse "key=A,B,C" into pairs of key and value; values are TOML, or else bare words between commas.

    Raises:  ExperimentError: when there is no key or no value.
    """
    key, _, values = text.partition("=")
    if not key.strip() or not values.strip():
        raise ExperimentError(f"--vary {text!r}: expected KEY=A,B, such as training.learning_rate=1e-3,1e-2.")
    try:
        choices = tomllib.loads(f"values = [{values}]")["values"]
    except tomllib.TOMLDecodeError:
        choices = [value.strip() for value in values.split(",")]
        if "" in choices:
            raise ExperimentError(
                f"--vary {text!r}: expected values between commas, and one is empty. Leave the comma out."
            ) from None
    return [(key.strip(), value) for value in choices]


def cuts_of(contender: Contender) -> list[Contender]:
    """Return the network cut to 1, 2, ... blocks, all but its own number; none of a network of one block."""
    stack = stack_of(contender.network)
    return [
        replace(
            contender,
            name=f"{contender.name}, {k} of {len(stack.blocks)} stages",
            experiment=_with_network(contender.experiment, stack.cut(k)),
            match="",
            ratio=None,
            of=contender.name,
            n_blocks=k,
        )
        for k in range(1, len(stack.blocks))
    ]


def _contender(name: str, experiment: Experiment, *, by: By, n_outputs: int) -> Contender:
    shape = experiment.inputs.contract.input_shape
    own = _own_text(experiment)
    family, _, width = name.partition("@")
    if name == OWN:
        own_words = "the experiment's own network: the reference"
        return Contender(OWN, _with_network(experiment, own), n_outputs, match=own_words)
    if family not in FAMILIES:
        return _as_given(name, experiment, n_outputs)
    if "@" in name:
        chosen = _with_network(experiment, _at_width(name, shape))
        width, _, n_blocks = width.partition("x")
        words = f"width {width}{f', {n_blocks} stages' if n_blocks else ''}, as asked"
        return Contender(name, chosen, n_outputs, match=words, width=int(width))
    cost = inspect(own, input_shape=shape, rate_hz=None, n_outputs=n_outputs)
    target = cost.parameters if by == "parameters" else cost.multiply_adds
    found = match(family, input_shape=shape, n_outputs=n_outputs, target=target, by=by)
    chosen = _with_network(experiment, found.text)
    counted = f"{found.count:,} {by}, {found.ratio:.3g} times the reference's {target:,}"
    if found.width is None:
        return Contender(name, chosen, n_outputs, match=f"fixed, not matched: {counted}")
    return Contender(
        name, chosen, n_outputs, match=f"width {found.width}: {counted}", ratio=found.ratio, width=found.width
    )


def _own_text(experiment: Experiment) -> str:
    """Return the experiment's own network, which may itself be a family at a width."""
    own = experiment.representations.network.strip()
    if "@" in own and own.partition("@")[0] in FAMILIES:
        return _at_width(own, experiment.inputs.contract.input_shape)
    return own


def _at_width(name: str, shape: tuple[int, ...]) -> str:
    """Return the text of "FAMILY@WIDTH", or of its first stages: "FAMILY@WIDTHxSTAGES"."""
    found = re.fullmatch(r"(.+)@(\d+)(?:x(\d+))?", name)
    if found is None:
        raise NetworkError(
            f"'{name}': expected FAMILY@WIDTH or FAMILY@WIDTHxSTAGES with whole numbers, such as conv@16 or conv@16x2."
        )
    family, width, n_blocks = found.groups()
    text = text_at(family, int(width), shape)
    if n_blocks is None:
        return text
    try:
        return stack_of(text).cut(int(n_blocks))
    except NetworkError as error:
        raise NetworkError(f"'{name}': {error}") from error


def _as_given(name: str, experiment: Experiment, n_outputs: int) -> Contender:
    if name not in NETWORKS and "|" not in name:
        known = [OWN, *FAMILIES, *NETWORKS]
        raise NetworkError(f"'{name}': no family, preset or network text{did_you_mean(name, known)}")
    one = Contender(name, _with_network(experiment, name), n_outputs, match="as given, not matched")
    one.inspect()  # what does not fit is refused before anything is trained
    return one


def _with_network(experiment: Experiment, text: str) -> Experiment:
    changed = experiment.representations.model_copy(update={"network": text})
    return experiment.model_copy(update={"representations": changed})


def _varied(
    one: Contender, settings: tuple[tuple[str, Any], ...], removed: tuple[str, Any] | None, *, alone: bool
) -> Contender:
    """Name a contender after what was varied."""
    named = [_named(key, value) for key, value in settings]
    if removed is not None:
        named = [*named[:-1], f"without {_entry(removed[1], rest=settings[-1][1])}"]
    elif not named and alone:
        named = []
    words = ", ".join(named)
    name = one.name if not words else words if alone else f"{one.name}, {words}"
    return replace(one, name=name, settings=settings, removed=removed)


def _named(key: str, value: Any) -> str:
    """Return a setting in words; a network's text says by itself what it is."""
    return _short(value) if key == "representations.network" else f"{key.rpartition('.')[2]} {_short(value)}"


def _entry(entry: Any, *, rest: Sequence[Any]) -> str:
    """Return an entry of a list in words: its kind alone where no other entry is of that kind."""
    kind = _kind(entry)
    return kind if kind and kind not in map(_kind, rest) else _short(entry)


def _kind(value: Any) -> str:
    found = (value.get("step") or value.get("kind")) if isinstance(value, dict) else None
    return str(found) if found else ""


def _short(value: Any) -> str:
    kind = _kind(value)
    if kind:
        return " ".join([kind, *(f"{k} {v}" for k, v in value.items() if k not in ("step", "kind"))])
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _list_at(experiment: Experiment, key: str) -> list[Any]:
    found: Any = experiment.model_dump(mode="json")
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if not isinstance(found, list) or not found:
        raise ExperimentError(
            f"--vary {key}={WITHOUT}: expected a list that has entries, such as inputs.contract.steps or "
            "training.augment."
        )
    return [_stated(entry) for entry in found]


def _stated(entry: Any) -> Any:
    """Return an entry without the keys that nothing was said of."""
    if isinstance(entry, dict):
        return {name: value for name, value in entry.items() if value is not None}
    return entry
