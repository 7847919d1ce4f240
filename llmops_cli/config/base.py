"""The base of every schema: strict, frozen, and documented by its field descriptions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict


class StrictModel(BaseModel):
    """A schema that refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=())


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


PathList = Annotated[list[str], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]
"""One path or a list of paths: files or folders, relative to the folder the command runs in."""

DeviceName = Literal["auto", "mps", "cuda", "cpu"]
DEVICE_HELP = "auto (mps, else cuda, else cpu), mps, cuda or cpu; a named device that is missing is an error"
MODEL_HELP = "hub name, folder, run (its name or folder), or builtin:tiny-ko"
