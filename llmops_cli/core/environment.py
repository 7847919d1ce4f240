"""What the libraries below us may do on their own: no telemetry, no chatter, no network unless a command asks."""

from __future__ import annotations

import os
import warnings

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


def quiet_libraries() -> None:
    """Set the switches above where the user has not set them. Call before the libraries are imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for library in ("transformers", "peft", "torch", "mlflow", "accelerate", "alembic"):
        warnings.filterwarnings("ignore", module=rf"{library}\b")
