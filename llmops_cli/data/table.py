"""Rows of a csv or tsv file, whatever its quoting, without losing any.

No one csv dialect reads all real files: with quoting on, a lone `"` at the start of a field swallows the rows
up to the next one; with quoting off, quoted fields fall apart. So each row is judged by the number of its
columns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from llmops_cli.core.errors import InputError, Problem

_LONGEST_ROW = 2_000  # lines; a quoted field longer than this is taken for a lone quote


def read_table(lines: Iterable[str], source: str, *, tabs: bool) -> Iterator[tuple[int, dict[str, str]] | Problem]:
    """Line number and cells by column name of each row, or a Problem where a row does not fit the header.

    Args:
        lines: lines without their line ends; blank lines between rows are skipped.
        source: names the file in problems.
        tabs: whether the file is a .tsv; else the header tells `,` from `;` and tab.

    Raises:
        InputError: a header that repeats a name.
    """
    numbered = enumerate(lines, 1)
    first, header_line = next(((number, line) for number, line in numbered if line.strip()), (0, ""))
    if not first:
        return
    delimiter = "\t" if tabs else max(",\t;", key=header_line.count)
    header = [name.strip() for name in _split_quoted(header_line, delimiter) or header_line.split(delimiter)]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError(f"column {repeated[0]!r} stands twice in the header", where=f"{source}:{first}")
    ahead = deque[tuple[int, str]]()
    for number, line in _reading_ahead(numbered, ahead):
        if not line.strip():
            continue
        cells = _split_quoted(line, delimiter)
        if cells is None:
            cells = _long_row(line, numbered, ahead, delimiter, len(header))
        if cells is None or (len(cells) != len(header) and len(line.split(delimiter)) == len(header)):
            cells = line.split(delimiter)
        if len(cells) == len(header):
            yield number, dict(zip(header, cells, strict=True))
        else:
            what = f"{len(cells)} columns, want {len(header)}: {', '.join(header)}"
            yield Problem(what, f"{source}:{number}", 'put a field that holds the delimiter or a line end in "quotes"')


def _reading_ahead(numbered: Iterator[tuple[int, str]], ahead: deque[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines that were read ahead and not used, before new ones."""
    while item := ahead.popleft() if ahead else next(numbered, None):
        yield item


def _long_row(
    line: str,
    numbered: Iterator[tuple[int, str]],
    ahead: deque[tuple[int, str]],
    delimiter: str,
    columns: int,
) -> list[str] | None:
    """Cells of a row that opens a quote and closes it in a later line; None where the quote is no quoting.

    Lines that the row takes are removed from `ahead`, the others are left in it.
    """
    lines = [line]
    while len(lines) < _LONGEST_ROW:
        if len(lines) > len(ahead) and (item := next(numbered, None)):
            ahead.append(item)
        if len(lines) > len(ahead):
            return None
        lines.append(ahead[len(lines) - 1][1])
        cells = _split_quoted("\n".join(lines), delimiter) if '"' in lines[-1] else None
        if cells is None:
            continue
        # Prose on two lines may hold a comma in each by chance. Tabs, more columns or more lines that all fit
        # are rows behind a lone quote.
        telling = columns > 2 or (columns == 2 and (delimiter == "\t" or len(lines) > 3))
        rows_by_themselves = telling and all(len(text.split(delimiter)) == columns for text in lines)
        if len(cells) != columns or rows_by_themselves:
            return None
        for _ in lines[1:]:
            ahead.popleft()
        return cells
    return None


def _split_quoted(text: str, delimiter: str) -> list[str] | None:
    """The fields of `text`, quoted ones unquoted; none at all where text follows a closing quote.

    None when a quote stays open.
    """
    if '"' not in text:
        return text.split(delimiter)
    fields: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            end = text.find('"', at + 1)
            while end >= 0 and text.startswith('"', end + 1):
                end = text.find('"', end + 2)
            if end < 0:
                return None
            fields.append(text[at + 1 : end].replace('""', '"'))
            at = end + 1
            if at < len(text) and not text.startswith(delimiter, at):
                return []
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            fields.append(text[at:end])
            at = end
        if at >= len(text):
            return fields
        at += len(delimiter)
