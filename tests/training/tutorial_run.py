"""The run that the tutorial prints."""

from torch import nn

from app.trees.linear import LinearModel
from app.trees.spec import LinearSpec, build

WEIGHT, BIAS = 0.9385080337524414, 0.5002855658531189
LOSSES = [
    37.13650131225586,
    6.440334320068359,
    1.1369059085845947,
    0.22039809823036194,
    0.061789851635694504,
    0.0341210812330246,
    0.029076844453811646,
    0.027944350615143776,
    0.02749050036072731,
    0.02715681865811348,
]
PREDICTIONS = [0.6955, 2.7439, 4.7923, 6.8406, 8.8890, 10.9374, 12.9858, 15.0342, 17.0826, 19.1310]
AT_TEN = 21.1794


def linear_model(weight: float = WEIGHT, bias: float = BIAS) -> LinearModel:
    """A LinearModel with the tutorial's numbers."""
    return chain([(weight, bias)])


def chain(numbers: list[tuple[float, float]]) -> LinearModel:
    """LinearModels in each other, each fed what the one outside it gives."""
    spec = LinearSpec()
    for row, (weight, bias) in enumerate(numbers):
        spec.add(row - 1, "sub" if row else "", weight, bias)
    return build(spec, chain=True)


def bits(model: nn.Module) -> list[bytes]:
    """The parameters' values, bit by bit."""
    return [parameter.detach().numpy().tobytes() for parameter in model.parameters()]
