from typing import get_args

from vicinal.evidence.report.blocks import Block


def test_every_block_has_a_kind_of_its_own() -> None:
    kinds = [block.kind for block in get_args(Block)]
    assert len(kinds) == len(set(kinds)) > 10
