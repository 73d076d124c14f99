"""What holds for the tests of networks and layers."""

from collections.abc import Iterator

import pytest
import torch
from jaxtyping import install_import_hook

# The layers' shape annotations become checks: installed before a layer is imported.
install_import_hook("vicinal.representations.layers", "beartype.beartype")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks spend their time handing work to threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
