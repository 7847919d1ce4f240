"""Personal data in Korean text: found however it is written, and masked so that the sentence still reads."""

from llmops_cli.safety.personal_data.detect import find
from llmops_cli.safety.personal_data.kinds import KINDS, NOT_COVERED, Found
from llmops_cli.safety.personal_data.masking import mask

__all__ = ["KINDS", "NOT_COVERED", "Found", "find", "mask"]
