"""What holds for every test."""

import os

import torch
from hypothesis import settings

# Shared machines pause: a deadline would test the neighbours.
settings.register_profile("vicinal", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("vicinal")
# Tiny networks spend their time handing work to threads.
torch.set_num_threads(1)
