"""What a person reads in the terminal after a command about inputs.

Formats results; computes nothing. What made a result is named for the type checker alone: telling of a pack loads
neither PyTorch, which auditing a run needs, nor the drawing library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vicinal.inputs.contract import Contract
    from vicinal.inputs.pack import Pack
    from vicinal.inputs.seen import Seen
    from vicinal.terminal import Terminal
    from vicinal.workflow.auditing import Audited
    from vicinal.workflow.contracting import CheckedFile
    from vicinal.workflow.packing import Verified
    from vicinal.workflow.showing import Shown
    from vicinal.workflow.starting import Started

__all__ = [
    "tell_audit",
    "tell_checked",
    "tell_inferred",
    "tell_pack",
    "tell_shown",
    "tell_started",
    "tell_verified",
]

_MOST_KINDS = 8
_MOST_SHOWN = 10
_BAR = 40


def tell_shown(shown: Shown, terminal: Terminal) -> None:
    """Print what a file holds."""
    terminal.result(f"{shown.facts.id}: {shown.facts.sentence()}")
    terminal.table(shown.facts.COLUMNS, shown.facts.lines(), n_text=2)


def tell_inferred(contract: Contract, seen: Seen, terminal: Terminal) -> None:
    """Print what was seen of recordings, why the contract is as it is, and the contract to paste."""
    unreadable = f", {len(seen.failures)} could not be read" if seen.failures else ""
    terminal.result(f"{seen.n_signals} recordings looked at{unreadable}")
    for title, counts in (
        ("channels", seen.channels),
        ("rate", seen.rates),
        ("unit", seen.units),
        ("size", seen.sizes),
    ):
        if counts:
            terminal.table([title, "recordings"], [[name, f"{n:,}"] for name, n in counts[:_MOST_KINDS]])
    for title, bins in (
        ("duration, s", seen.durations_s),
        (f"size of values, {contract.units}", seen.amplitudes),
    ):
        if bins:
            highest = max(n for *_, n in bins)
            rows = [
                [f"{low:.4g} to {high:.4g}", f"{n:,}", "#" * round(_BAR * n / highest)]
                for low, high, n in bins
            ]
            terminal.table([title, "recordings", ""], [[a, c, b] for a, b, c in rows], n_text=2)
    terminal.result(
        f"values {seen.low:.4g} to {seen.high:.4g} {contract.units}, missing at most {seen.missing:.2%}"
    )
    if seen.n_constant:
        terminal.result(f"{seen.n_constant} recordings have a channel that never changes")
    for reason in seen.reasons:
        terminal.paragraph(f"- {reason}")
    for name, n in seen.misfits:
        terminal.result(f"this contract refuses {n} of them by {name}")
    for name, why in seen.failures[:_MOST_KINDS]:
        terminal.say(f"not read: {name}: {why}")
    terminal.result(f"\n[inputs.contract]\n{contract.to_toml()}")


def tell_checked(checked: Sequence[CheckedFile], terminal: Terminal) -> None:
    """Print every violation of every file, and how many files may enter."""
    for one in checked:
        if one.unreadable:
            terminal.result(f"{one.name}: cannot be read: {one.unreadable}")
        for violation in one.violations:
            what = "converted" if violation.convertible else "REFUSED"
            terminal.result(f"{one.name}: {what}: {violation.message}")
    broken = sum(one.is_broken for one in checked)
    terminal.result(
        f"{len(checked) - broken} of {len(checked)} recordings meet the contract or are converted to it"
    )


def tell_started(started: Started, terminal: Terminal) -> None:
    """Print what was found, what was assumed and what could not be known, and how to go on."""
    for title, lines in (("Found", started.found), ("Assumed", started.assumed)):
        terminal.result(title)
        for line in lines:
            terminal.result(f"  {line}")
    if started.questions:
        terminal.result("Only you know")
    for question in started.questions:
        option = f", or again with {question.option} and --overwrite" if question.option else ""
        terminal.result(f"  {question.text}\n    -> {question.key}{option}")
    terminal.result(f"Wrote {started.path}. Read it, then: vicinal run {started.path}")


def tell_pack(pack: Pack, terminal: Terminal) -> None:
    """Print what a pack holds, where it lies, and what was left out."""
    what = "events" if pack.task == "events" else "positive rows"
    terminal.table(
        ["class", what], [[name, f"{count:,}"] for name, count in pack.counts.items()], title=pack.name
    )
    size = pack.values.nbytes / 2**20
    shape = " x ".join(map(str, pack.contract.input_shape))
    terminal.result(
        f"{len(pack):,} rows of at most {shape}, {pack.storage.dtype}, {size:,.1f} MiB: {pack.folder}"
    )
    for note in pack.notes:
        terminal.say(f"note: {note}")
    for identifier, reason in pack.skipped[:_MOST_SHOWN]:
        terminal.say(f"skipped {identifier}: {reason}")
    if len(pack.skipped) > _MOST_SHOWN:
        terminal.say(f"... and {len(pack.skipped) - _MOST_SHOWN} more; --json lists all of them.")


def tell_verified(verified: Verified, terminal: Terminal) -> None:
    """Print whether a pack is as it was written, and the rows that are not."""
    if verified.is_whole:
        terminal.result(f"{verified.folder}: {verified.n:,} rows, all as they were written")
        return
    if verified.problem:
        terminal.result(verified.problem)
    if verified.changed:
        terminal.result(
            f"{verified.folder}: {len(verified.changed):,} of {verified.n:,} rows are not what was written. Pack the "
            "data again."
        )
        for identifier in verified.changed:
            terminal.result(f"  {identifier}")


def tell_audit(audited: Audited, terminal: Terminal) -> None:
    """Print what was found, leaks first, and what it was looked for in."""
    parts = ", ".join(f"{n:,} {name}" for name, n in audited.parts.items())
    subjects = "subjects known" if audited.subjects_known else "subjects not known"
    terminal.result(f"{audited.title}: {audited.n_rows:,} rows ({parts}); {subjects}")
    for finding in audited.findings:
        terminal.paragraph(f"{finding.severity}: {finding.kind}\n{finding.message}")
    if not audited.findings:
        terminal.result("no finding; what was not looked for is not proven absent")
