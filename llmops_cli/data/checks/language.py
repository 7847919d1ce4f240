"""Answers that are not in Korean, or that slip into another script: the commonest leak of translated and made data."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.checks import Check
from llmops_cli.data.contents import Contents
from llmops_cli.data.records import Record
from llmops_cli.text.scripts import FOREIGN, HANGUL, OTHER, foreign_scripts, letters, script_classes

ID = "language"
SEVERITY = "warning"
ABOUT = "answers and texts with little Hangul, or with Han, Kana, Cyrillic, Arabic or Thai letters in them"
FIX = "leave out or translate; for data in several languages: --set parameters.language.min_hangul=0"
FAST = True

# 가능성(可能性) explains a word and is no slip: what stands in brackets is not counted, and neither is code.
_ASIDE = re.compile(r"```.*?```|\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|〔[^〔〕]*〕", re.DOTALL)
_OPENING = re.compile(r"[(（\[〔]|```")


class Params(StrictModel):
    """When an answer counts as not Korean."""

    min_hangul: float = Field(0.4, ge=0, le=1, description="least share of Hangul among the letters of the answers")
    max_foreign: float = Field(0.001, ge=0, le=1, description="greatest share of letters other than Hangul and Latin")
    min_letters: int = Field(20, ge=1, description="letters that the answers must have to be judged for Hangul")


def suspects(contents: Contents, params: Params) -> list[int]:
    """Records with as little Hangul as `params` allow, with a bracket, or with a letter of another script."""
    answers = contents.answers
    scripts = script_classes()[np.minimum(answers.code_points, 0x10000)]
    hangul, others, foreign = (answers.sums(scripts == script) for script in (HANGUL, OTHER, FOREIGN))
    few = hangul < params.min_hangul * (hangul + others + foreign)
    few[list(answers.matching(_OPENING))] = True
    return [int(number) for number in np.flatnonzero(few | (foreign > 0))]


def start(params: Params) -> Check:
    def foreign(record: Record) -> Iterator[str]:
        text = "\n".join(record.answers())
        hangul, others = letters(text)
        if not others:
            return
        text = _ASIDE.sub("", text)
        hangul, others = letters(text)
        if hangul + others >= params.min_letters and hangul < params.min_hangul * (hangul + others):
            yield f"{hangul / (hangul + others):.0%} of the letters are Hangul"
        scripts = foreign_scripts(text)
        if sum(scripts.values()) > params.max_foreign * (hangul + others):
            yield f"letters of other scripts: {', '.join(f'{count} {script}' for script, count in scripts.items())}"

    return foreign
