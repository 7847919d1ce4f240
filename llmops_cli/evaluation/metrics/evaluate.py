"""Any metric of Hugging Face `evaluate`, by its name on the hub or the path of its script."""

from __future__ import annotations

from numbers import Real
from typing import Any

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure

ABOUT = "a metric of Hugging Face evaluate, as in evaluate[ter] or evaluate[./my_metric.py]"
FORMULA = "what the metric computes of one output and its reference; of a set, the mean"
SOURCE = "https://huggingface.co/docs/evaluate"
BETTER: Better | None = None
NEEDS = ("reference",)
VARIANTS = None
LOADS = "a script, from the hub or from here, that is run"


class Params(StrictModel):
    """What is computed, and what is taken of it."""

    key: str | None = Field(None, description="which of the numbers it computes; the first where none is named")
    options: dict[str, Any] = Field({}, description="what else it takes, as in {lang: ko}")


def start(call: Call) -> Measure:
    """Each item is computed by itself.

    Raises:
        MachineError: the metric is neither here nor given by the hub, or needs a package that is not here.
        InputError: it cannot take these texts or options, or gives no such number.
    """
    import evaluate

    name, params = f"evaluate[{call.variant}]", call.params
    try:
        metric = evaluate.load(call.variant)
    except ImportError as error:
        raise MachineError(f"{name}: {_first_line(error)}") from None
    except OSError as error:
        hint = "give the path of its script, or run it once where the hub can be reached"
        raise MachineError(f"{name}: {_first_line(error)}", hint=hint) from None

    def compute(item: Item) -> float:
        try:
            found = metric.compute(predictions=[item.output], references=[item.reference], **params.options)
        except (ValueError, TypeError) as error:
            raise InputError(f"{name}: {_first_line(error)}") from None
        numbers = {key: value for key, value in found.items() if isinstance(value, Real)}
        key = params.key or next(iter(numbers), "")
        if key not in numbers:
            hint = f"it computes {', '.join(numbers) or 'none'}"
            raise InputError(f"{name} computes no number {key!r} of a text", hint=hint)
        return float(numbers[key])

    return compute


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
