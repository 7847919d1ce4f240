"""Whatever stands in a data file: it is read, or refused with a line. The long version is in tests/stress."""

from __future__ import annotations

from typing import Any

from fuzzing import OPTIONS, budget, check_reading, data_files
from hypothesis import given
from hypothesis import strategies as st


@budget(500, derandomize=True)
@given(data_files(), OPTIONS, st.sampled_from([".jsonl", ".parquet", ".avro"]), st.sampled_from([0, 1, 40]))
def test_spoiled_files(file: tuple[str, bytes], options: dict[str, Any], output: str, piece: int) -> None:
    suffix, raw = file
    check_reading(raw, suffix, options, output, piece)
