"""The language in which a person is spoken to where there is a choice."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["ko", "en"]


def language() -> Language:
    """Korean under a Korean locale (`LC_ALL`, else `LC_MESSAGES`, else `LANG`, as POSIX ranks them), else English."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "ko" if locale.lower().startswith("ko") else "en"
