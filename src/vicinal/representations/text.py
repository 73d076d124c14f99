"""A network as text: parse it to a plan, print a plan, and point at the word that is wrong.

The grammar is in docs/network-text.md. A plan is plain data: this module knows which words exist and
what they take, but neither tensors nor shapes nor layers, and it never imports torch.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from vicinal.errors import NetworkError

__all__ = ["KINDS", "Kind", "Plan", "Size", "Stage", "nearest", "parse"]

Size = int | tuple[int, int]
"""One size for every axis (`3`), or one for each (`3x5`)."""

MAX_NUMBER = 1_000_000
MAX_STAGES = 2_000
MAX_CHARACTERS = 100_000


@dataclass(frozen=True)
class Kind:
    """What a kind of stage takes.

    Args:    units: "count" (a whole number), "count or classes", "share" (0 <= share < 1), or None.
             keys: words followed by a size.  needs: the keys that may not be left out.
             flags: words without a value.  one_of: flags and keys of which at most one may stand.
    """

    units: Literal["count", "count or classes", "share"] | None = None
    keys: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()


_WINDOWED = ("window", "stride", "dilation")
_PADDED = ("same", "causal")

KINDS = {
    "dense": Kind("count or classes"),
    "local": Kind("count", keys=_WINDOWED, needs=("window",), flags=_PADDED, one_of=_PADDED),
    "conv": Kind("count or classes", keys=_WINDOWED, needs=("window",), flags=_PADDED, one_of=_PADDED),
    "separable": Kind("count", keys=_WINDOWED, needs=("window",), flags=("causal",)),
    "residual": Kind("count", keys=_WINDOWED, needs=("window",), flags=("causal",)),
    "bottleneck": Kind("count", keys=_WINDOWED, needs=("window",), flags=("causal",)),
    "inception": Kind("count", keys=("window", "depth"), needs=("window",), flags=("causal",)),
    "lstm": Kind("count", flags=("both",)),
    "gru": Kind("count", flags=("both",)),
    "attention": Kind("count", keys=("heads", "window"), needs=("heads",), flags=("causal",)),
    "transformer": Kind("count", keys=("heads", "window"), needs=("heads",), flags=("causal",)),
    "minirocket": Kind("count"),
    "norm": Kind(keys=("group",), flags=("batch", "layer"), one_of=("batch", "layer", "group")),
    "relu": Kind(),
    "gelu": Kind(),
    "dropout": Kind("share"),
    "mean": Kind(keys=("window", "stride"), flags=_PADDED, one_of=_PADDED),
    "max": Kind(keys=("window", "stride"), flags=_PADDED, one_of=_PADDED),
    "mean-max": Kind(),
    "last": Kind(),
    "attention-pool": Kind(),
    "flatten": Kind(),
}


@dataclass(frozen=True)
class Stage:
    """One stage: `kind [units] [key value | flag]... [* repeat]`.

    Args:    kind: a word of KINDS.  units: a count, a share (dropout), "classes", or None.
             sizes: (key, size) pairs and  flags: both in the order of the kind's entry in KINDS.
             repeat: how many times, at least 1; a stride holds for the first time only.
    """

    kind: str
    units: int | float | Literal["classes"] | None = None
    sizes: tuple[tuple[str, Size], ...] = ()
    flags: tuple[str, ...] = ()
    repeat: int = 1

    def size(self, key: str, default: Size = 1) -> Size:
        """Return the size given for `key`, or the default."""
        return dict(self.sizes).get(key, default)

    def __str__(self) -> str:
        words = [self.kind] + ([] if self.units is None else [str(self.units)])
        words += [f"{key} {_print_size(size)}" for key, size in self.sizes]
        words += [*self.flags] + ([f"* {self.repeat}"] if self.repeat > 1 else [])
        return " ".join(words)


@dataclass(frozen=True)
class Plan:
    """A parsed network: its stages as written. `str(plan)` is its text on one line."""

    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        return " | ".join(str(stage) for stage in self.stages)

    def unrolled(self) -> Iterator[tuple[int, Stage]]:
        """Yield each stage as often as it runs, with the number (from 1) of the stage it was written as.

        Only the first of a repeated stage keeps its stride.
        """
        for number, stage in enumerate(self.stages, start=1):
            once = replace(stage, repeat=1)
            yield number, once
            again = replace(once, sizes=tuple(pair for pair in once.sizes if pair[0] != "stride"))
            for _ in range(stage.repeat - 1):
                yield number, again


def parse(text: str) -> Plan:
    """Parse a network text; `parse(str(plan)) == plan`.

    Args:    text: stages separated by `|` or new lines; `#` starts a comment.
    Returns: the plan, its options in one canonical order.
    Raises:  NetworkError: names every wrong word, with the stage it stands in and the nearest known word.
    """
    if len(text) > MAX_CHARACTERS:
        raise NetworkError(
            f"the network text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be read."
        )
    pieces = list(_pieces(text))
    if not pieces:
        raise NetworkError(
            "the network text is empty; write stages such as 'conv 8 window 5 | mean | dense classes'."
        )
    problems: list[str] = []
    stages = [_stage(piece, number, problems) for number, piece in enumerate(pieces, start=1)]
    n_stages = sum(stage.repeat for stage in stages)
    if n_stages > MAX_STAGES:
        problems.append(
            f"the network has {n_stages:,} stages when repeats are counted; at most {MAX_STAGES:,}."
        )
    if problems:
        raise NetworkError("\n".join(problems))
    return Plan(tuple(stages))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean '...'?` with the nearest known word, or the list of the known ones."""
    words = list(known)
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known here: {', '.join(words)}." if words else "nothing may stand here."


def _pieces(text: str) -> Iterator[str]:
    """Yield the text of each stage; a `|` may stand beside a line break, an empty stage is yielded as ""."""
    started = False
    waiting = True  # for a stage: at the beginning, and after a line that ended in `|`
    for line in text.splitlines():
        pieces = [" ".join(piece.split()) for piece in line.partition("#")[0].split("|")]
        if pieces == [""]:
            continue
        if not pieces[0] and not waiting:
            pieces = pieces[1:]
        waiting = not pieces[-1]
        yield from pieces[:-1] if waiting else pieces
        started = True
    if waiting and started:
        yield ""


def _stage(piece: str, number: int, problems: list[str]) -> Stage:
    """Parse one stage; what is wrong is added to `problems`."""
    found: list[tuple[str, str]] = []  # (the word or "", what is wrong with it)
    words = piece.replace("*", " * ").split()
    if not words:
        problems.append(f"stage {number}: empty; take one '|' away or write a stage there.")
        return Stage("flatten")
    name, words = words[0], words[1:]
    repeat = _take_repeat(words, found)
    kind = KINDS.get(name)
    if kind is None:
        problems.append(f"stage {number}, {_quote(name)}: unknown kind, {nearest(name, KINDS)}")
        return Stage("flatten")
    units = _take_units(name, kind, words, found)
    sizes, flags = _take_options(kind, words, found)
    if not found:  # else a word that was meant for it may be what is wrong
        found += [("", f"{name} needs '{key}' and a number") for key in kind.needs if key not in sizes]
    if "window" in kind.keys and "window" not in sizes and (sizes or flags) and not kind.needs:
        found.append(("", f"{name} needs 'window' and a number before it can have other options"))
    both = [word for word in kind.one_of if word in flags or word in sizes]
    if len(both) > 1:
        found.append((both[1], f"cannot stand with '{both[0]}', keep one of them"))
    for word, message in found:
        where = f"stage {number}, {_quote(word)}" if word else f"stage {number}"
        end = "" if message[-1] in ".?" else ","
        problems.append(f"{where}: {message}{end} in {_quote(piece)}")
    ordered = tuple((key, sizes[key]) for key in kind.keys if key in sizes)
    return Stage(name, units, ordered, tuple(flag for flag in kind.flags if flag in flags), repeat)


def _take_repeat(words: list[str], found: list[tuple[str, str]]) -> int:
    """Cut `* n` off the end of `words`."""
    if "*" not in words:
        return 1
    at = words.index("*")
    tail = words[at + 1 :]
    del words[at:]
    value = _count(tail[0]) if len(tail) == 1 else None
    if value is None:
        found.append(
            ("*", f"expected one whole number from 1 to {MAX_NUMBER:,} after it, at the end of the stage")
        )
    return value or 1


def _take_units(
    name: str, kind: Kind, words: list[str], found: list[tuple[str, str]]
) -> int | float | Literal["classes"] | None:
    """Cut the units off the front of `words`."""
    is_option = bool(words) and (words[0] in kind.keys or words[0] in kind.flags)
    looks_like_units = (
        bool(words) and not is_option and (words[0][0] in "+-.0123456789" or words[0] == "classes")
    )
    if kind.units is None:
        if looks_like_units:
            found.append((words.pop(0), f"{name} takes no units"))
        return None
    expected = "a share from 0 to below 1" if kind.units == "share" else "a number of units"
    if kind.units == "count or classes":
        expected += " or 'classes'"
    if not words or is_option:
        found.append(("", f"{name} needs {expected} first"))
        return None
    word = words.pop(0)
    if word == "classes" and kind.units == "count or classes":
        return "classes"
    value = _share(word) if kind.units == "share" else _count(word)
    if value is None:
        limit = "" if kind.units == "share" else f" (1 to {MAX_NUMBER:,})"
        hint = f" {nearest(word, ['classes', *kind.keys, *kind.flags])}" if word[0].isalpha() else ""
        found.append((word, f"expected {expected}{limit}{',' + hint if hint else ''}"))
    return value


def _take_options(
    kind: Kind, words: list[str], found: list[tuple[str, str]]
) -> tuple[dict[str, Size], set[str]]:
    """Read `key value` pairs and flags in any order."""
    sizes: dict[str, Size] = {}
    flags: set[str] = set()
    while words:
        word = words.pop(0)
        if word in sizes or word in flags:
            found.append((word, "stands twice, take one away"))
        if word in kind.flags:
            flags.add(word)
        elif word in kind.keys:
            size = _size(words[0]) if words else None
            if isinstance(size, tuple) and word not in _WINDOWED:  # only those may differ from axis to axis
                size = None
            if size is None:
                got = f", got {_quote(words.pop(0))}" if words else ""
                found.append((word, f"expected a whole number from 1 to {MAX_NUMBER:,} after it{got}"))
            else:
                words.pop(0)
            sizes[word] = size or 1
        else:
            found.append((word, f"unknown key, {nearest(word, [*kind.keys, *kind.flags])}"))
            if words and _size(words[0]) is not None:  # its value, which is not to blame
                words.pop(0)
    return sizes, flags


def _count(word: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,7}", word):
        return None
    value = int(word)
    return value if 1 <= value <= MAX_NUMBER else None


def _share(word: str) -> float | None:
    if not re.fullmatch(r"0?\.[0-9]{1,12}|0", word):
        return None
    return float(word)


def _size(word: str) -> Size | None:
    parts = [_count(part) for part in word.split("x")]
    match parts:
        case [int(one)]:
            return one
        case [int(height), int(width)]:
            return height, width
    return None


def _print_size(size: Size) -> str:
    return str(size) if isinstance(size, int) else f"{size[0]}x{size[1]}"


def _quote(word: str) -> str:
    short = word if len(word) <= 80 else word[:77] + "..."
    return "'" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short) + "'"
