"""Learner: everything that a step of training changes, the network, its optimiser, its average and the random state.

It takes steps and gives its state away; it must not know when, for how long, or what becomes of the weights.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vicinal.training.average import Average
from vicinal.training.config import TrainingConfig
from vicinal.training.loss import Loss
from vicinal.training.optimiser import make_optimiser, moments, restore_moments
from vicinal.training.passed import Batch, Engine

__all__ = ["Learner"]


class Learner:
    """A network that learns.

    Args:    network: its weights are trained in place.  engine: where it runs.
    Attributes: network: placed, in training mode.  average: of its weights, or None.
    """

    def __init__(self, network: nn.Module, *, config: TrainingConfig, engine: Engine) -> None:
        self.network = engine.place(network).train()
        self.average = Average(self.network, decay=config.ema) if config.ema else None
        self._parameters = [p for p in self.network.parameters() if p.requires_grad]
        self._optimiser = make_optimiser(self.network, config)
        self._config, self._engine = config, engine

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept."""
        return self.network if self.average is None else self.average.network

    def gradient(self, batch: Batch, loss: Loss) -> Float[Tensor, "2"]:
        """Compute the clipped gradient of a batch; return its loss, and the gradient's norm before clipping."""
        self._optimiser.zero_grad(set_to_none=True)
        with self._engine.autocast():
            logits = self.network(self._engine.tensor(batch.x), self._engine.tensor(batch.lengths))
        value = loss(logits, self._engine.tensor(batch.y))
        value.backward()  # type: ignore[no-untyped-call]  # torch's own
        norm = nn.utils.clip_grad_norm_(self._parameters, self._config.clip, foreach=True)
        return torch.stack([value.detach(), norm.detach()])

    def update(self, rate: float) -> None:
        """Move the weights along the gradient, at this learning rate."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        if self.average is not None:
            self.average.update(self.network)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the whole state by name; on a processor the arrays are those in use, not copies."""
        found = {f"network.{name}": array for name, array in _exact(self.network).items()}
        if self.average is not None:
            found |= {f"average.{name}": array for name, array in _exact(self.average.network).items()}
            found["n_averaged"] = np.array(self.average.n_updates)
        kept = moments(self._optimiser, self._parameters)
        found |= {f"optimiser.{name}": array for name, array in kept.items()}
        found["random"] = torch.get_rng_state().numpy()
        if self._engine.device != "cpu":
            found["random_of_device"] = torch.cuda.get_rng_state(torch.device(self._engine.device)).numpy()
        return found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on as the learner that had this state."""
        self.network.load_state_dict(_tensors("network.", arrays))
        if self.average is not None:
            n_updates = int(arrays["n_averaged"])
            self.average.restore(_tensors("average.", arrays), n_updates=n_updates)
        kept = {
            name.removeprefix("optimiser."): array
            for name, array in arrays.items()
            if name.startswith("optimiser.")
        }
        restore_moments(self._optimiser, self._parameters, kept)
        torch.set_rng_state(torch.from_numpy(arrays["random"]))
        if "random_of_device" in arrays:
            device = torch.device(self._engine.device)
            torch.cuda.set_rng_state(torch.from_numpy(arrays["random_of_device"]), device)


def _exact(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}


def _tensors(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
