"""Debris: tokens of a chat template, markup, code, addresses, and other text that is for machines."""

from __future__ import annotations

import re

from llmops_cli.evaluation.degeneration.finding import Finding, saturated

_TAGS = (
    "a|b|blockquote|body|br|button|center|code|div|em|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|li|"
    "link|meta|nav|ol|p|pre|ref|script|section|span|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul"
)
_SORTS: tuple[tuple[float, str], ...] = (
    (3.0, r"<\|[^|<>\n]{1,40}\|>|</?s>|<(?:unk|pad|eos|bos|mask|sep|bot|eot)>|<(?:start|end)_of_\w+>"),
    (3.0, r"\[/?(?:INST|SYS|PAD|UNK|MASK|CLS|SEP|EOS|BOS)\]|<</?SYS>>"),
    (2.5, r"(?<![A-Za-z])(?:assistant|user|system|human)\s?[:：](?!//)"),
    (2.5, r"(?<!#)#{2,6}\s*(?:instruction|response|input|output|assistant|user|system|응답|명령어|지시)(?![\w가-힣])"),
    (1.5, rf"</?(?:{_TAGS})(?:\s[^<>\n]{{0,200}})?/?>|</[a-z]\w*>|<\w+ [\w-]+=[^<>\n]{{1,200}}>|<!--|-->|<!DOCTYPE"),
    (1.5, r"&(?:nbsp|lt|gt|amp|quot|#\d{2,5});"),
    (1.5, r"[{,]\s*\"[^\"\n]{1,40}\"\s*:\s*[\"\[{\d]|\"\s*[}\]]|\[\s*\{|\}\s*\]"),
    (1.0, r"(?:https?|ftp)://\S+|\bwww\.[\w-]+\.\w+\S*|\b[\w-]+\.(?:com|net|org|io|kr)/\S*"),
    (1.5, r"\[\[[^\[\]\n]+\]\]|!\[[^\]\n]*\]\([^)\n]*\)|^={2,}[^=\n]+={2,}\s*$|```|^\s*\{\|"),
    (1.2, r"\\[a-z]+\{|\$[^$\n가-힣]*[\\^_][^$\n가-힣]*\$|\\(?:alpha|beta|cdot|times|left|right|sum|int|frac|item)\b"),
    (0.8, r"\\[nrtu\"](?![a-z])|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9a-f]{2}%[0-9a-f]{2}"),
    (
        1.0,
        r"\b(?:def|class|function) \w+\s*[(:{]|\b(?:import|from) [a-z_][\w.]*(?=\s|;|$)|\bfor \w+ in \w|#include\s*<",
    ),
    (
        1.0,
        r"\b(?:public|private|static|void|const|var|let|int|return) [\w\[\]<>.]+\s?[=;({]|\b\w+\.\w+\([^()가-힣\n]*\)",
    ),
    (1.0, r"\b(?:print|printf|println|console\.log)\s?\(|\bSELECT\b[^\n가-힣]+\bFROM\b|[\w)\]\"'];\s*$"),
    (0.8, r"[\w)\]] ?(?:==|!=|&&|\|\||=>|\+=|:=) ?[\w(\[\"']|[\w\])] = [\w\"'\[(]"),
    (0.5, r"[{}\\]"),
)
"""How much a piece of each sort weighs, where 1.0 is two thirds of the way to a broken text."""
_PATTERNS = [(weight, re.compile(pattern, re.ASCII | re.IGNORECASE | re.MULTILINE)) for weight, pattern in _SORTS]
_MARKDOWN = re.compile(r"^[ \t]*(?:#{1,6} |> )|\*\*|__|\|", re.MULTILINE)
_MARKDOWN_TOLERATED, _MARKDOWN_SCALE = 0.12, 0.2


def debris(text: str) -> Finding | None:
    """What was written for a machine and stands in a text for people.

    Headings, lists and emphasis of Markdown are usual, as long as they are not most of the text.
    """
    found = [(weight, *piece.span()) for weight, pattern in _PATTERNS for piece in pattern.finditer(text)]
    score = saturated(sum(weight for weight, _, _ in found), 0.0, 1.0)
    marks = sum(len(mark.group().strip()) for mark in _MARKDOWN.finditer(text))
    markdown = saturated(marks / len(text), _MARKDOWN_TOLERATED, _MARKDOWN_SCALE)
    if markdown > score:
        return Finding(markdown, 0, len(text))
    return Finding(score, *max(found, key=lambda piece: piece[0])[1:]) if found else None
