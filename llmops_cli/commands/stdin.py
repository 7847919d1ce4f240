"""Text that is piped into a command."""

from __future__ import annotations

import sys

from llmops_cli.core.errors import InputError


def read_stdin() -> str:
    """All of stdin. Raises InputError when it is not UTF-8, which Python lets through in the C locale."""
    try:
        text = sys.stdin.read() if sys.stdin else ""
        text.encode()
    except UnicodeError:
        raise InputError("not UTF-8", where="stdin", hint="iconv -f CP949 -t UTF-8") from None
    return text
