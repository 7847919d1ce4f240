"""Tables: csv, tsv and tabular text are read whole whatever their quoting, and CoNLL sentences are put together."""

from __future__ import annotations

import unicodedata

import pytest
from workbench import read, read_on, refused, turns, write_file

PAIR = [("user", "안녕?"), ("assistant", "반가워.")]


@pytest.mark.parametrize(("name", "gap"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.txt", "\t")])
def test_quotes_as_excel_writes_them(name: str, gap: str) -> None:
    table = 'Q|A|label\r\n"안녕, 너"|반가워|0\r\n"여러\r\n줄"|"그는 ""응""이라 했다"|1\r\n끝|응|2\r\n'
    first, second, third = read(write_file(name, "\ufeff" + table.replace("|", gap)))
    assert turns(first) == [("user", "안녕, 너"), ("assistant", "반가워")]
    assert turns(second) == [("user", "여러\n줄"), ("assistant", '그는 "응"이라 했다')]
    assert first.metadata == {"label": "0"}
    assert [record.where for record in (first, second, third)] == [f"{name}:{line}" for line in (2, 3, 5)]


@pytest.mark.parametrize(
    ("name", "gap"), [("a.tsv", "\t"), ("a.csv", ","), ("a.csv", ";"), ("a.csv", "\t"), ("a.txt", "\t")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_a_lone_quote_does_not_swallow_rows(name: str, gap: str, end: str, last: bool) -> None:
    rows = [["s1", "s2", "label"], ["가", "나", "중립"], ['"엄마', "응", "모순"], ["다", "라", "중립"],
            ['"저', '왔어요"', "함의"], ['"마"', "바, 사;", "함의"], ['"사', "끝", "중립"]]  # fmt: skip
    rows = [[cell.replace(gap, " ") for cell in row] for row in rows]
    table = end.join(gap.join(row) for row in rows) + end * last
    records, problems = read_on(write_file(name, table), prompt_column="s1", completion_column="s2")
    assert problems == []
    assert [record.messages[0].content for record in records] == ["가", '"엄마', "다", '"저', "마", '"사']
    assert [record.messages[1].content for record in records] == [row[1] for row in rows[1:]]


def test_a_lone_quote_in_two_columns_does_not_swallow_rows() -> None:
    tabs = write_file("a.tsv", 'Q\tA\n"하나\t둘\n셋"\t넷\n')
    commas = write_file("a.csv", 'Q,A\n"하나,둘\n셋,넷\n다섯,여섯\n일곱",여덟\n')
    assert len(read(tabs)) == 2
    assert len(read(commas)) == 4


def test_a_quoted_cell_of_many_lines_is_one_cell() -> None:
    poem = "\n".join(f'{number}연, ""별"" 헤는 밤' for number in range(300))
    (record, after) = read(write_file("a.csv", f'Q,A\n시를 써 줘,"{poem}"\n또,응\n'))
    assert record.messages[1].content == poem.replace('""', '"')
    assert after.where == "a.csv:302"


def test_no_row_is_lost_among_quotes_of_every_kind() -> None:
    """Rows read and rows named add up to the lines, less those that a quoted cell spans."""
    cells = ["가", '"나', '다"', '"라"', '"마 ""바"" 사"', '아 "자" 차', '""', '"""', "''"]
    lines = [f"{first}\t{second}" for first in cells for second in cells]
    records, problems = read_on(write_file("a.tsv", "Q\tA\n" + "\n".join(lines)))
    spanned = sum(content.count("\n") for record in records for content in record.contents())
    assert len(records) + len(problems) + spanned == len(lines)
    assert len(records) >= len(lines) - 2


def test_a_row_that_does_not_fit_is_named_and_the_others_are_read() -> None:
    table = write_file("a.csv", 'Q,A\n하나,둘\n셋\n"넷,다섯\n\n여섯,일곱\n가,나,다\n')
    records, problems = read_on(table)
    assert [record.where for record in records] == ["a.csv:2", "a.csv:4", "a.csv:6"]
    assert [(problem.where, problem.what) for problem in problems] == [
        ("a.csv:3", "1 columns, want 2: Q, A"),
        ("a.csv:7", "3 columns, want 2: Q, A"),
    ]
    assert '"quotes"' in problems[0].hint


def test_named_columns() -> None:
    table = write_file("a.tsv", "물음\t답변 \n안녕?\t반가워.\n")
    assert turns(read(table, prompt_column="물음", completion_column=unicodedata.normalize("NFD", "답변"))[0]) == PAIR
    problem = refused(table, prompt_column="없음", completion_column="답변")
    assert problem.where == "a.tsv:2"
    assert problem.what == "no column '없음': there are 물음, 답변"
    assert problem.hint == "--set prompt_column=NAME"
    assert refused(table, prompt_column="물음").hint == "--set completion_column=NAME"


def test_spaces_around_cells_are_data() -> None:
    (record,) = read(write_file("a.tsv", "Q \t A\tlabel\n 안녕? \t응\t2   \n"))
    assert turns(record) == [("user", " 안녕? "), ("assistant", "응")]
    assert record.metadata == {"label": "2   "}


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "hint"),
    [
        ("a.csv", "문장,등급\n가,1\n나,2\n", "a.csv:2", "unknown shape with 문장, 등급", "--set text_column"),
        ("a.csv", "Q,Q\n가,나\n", "a.csv:1", "'Q' stands twice", ""),
        ("a.csv", "Q,A\n", "a.csv", "no rows", ""),
        ("a.tsv", "\n\n", "a.tsv", "no rows", ""),
        ("a.csv", "Q,A\n\x00,\n나\n".encode(), "a.csv:3", "1 columns, want 2", ""),
    ],
)
def test_bad_tables(name: str, content: str | bytes, where: str, what: str, hint: str) -> None:
    problem = refused(write_file(name, content))
    assert problem.where == where
    assert what in problem.what
    assert hint in problem.hint


def test_what_the_header_decides_is_told_once() -> None:
    _, problems = read_on(write_file("a.csv", "문장,등급\n가,1\n나,2\n다\n라,3\n"))
    assert [problem.where for problem in problems] == ["a.csv:2"]


def test_a_line_that_cannot_be_decoded_leaves_the_others() -> None:
    table = "Q,A\n하나,둘\n".encode() + b"caf\xe9,x\n" + "셋,넷\n".encode()
    records, problems = read_on(write_file("a.csv", table))
    assert [record.where for record in records] == ["a.csv:2", "a.csv:4"]
    assert [problem.where for problem in problems] == ["a.csv:3"]


def test_text_with_a_tab_in_every_line_is_a_table_unless_a_unit_is_set() -> None:
    path = write_file("a.txt", "Q\tA\n안녕?\t반가워.\n")
    assert turns(read(path)[0]) == PAIR
    assert [record.text for record in read(path, text_unit="line")] == ["Q\tA", "안녕?\t반가워."]
    indented = write_file("b.txt", "\t봄이 왔다.\n\t꽃이 폈다.\n")
    assert read(indented, text_unit="file")[0].text == "봄이 왔다.\n\t꽃이 폈다."
    prose = "첫째\t줄\n둘째 줄\n셋째 줄\n"
    assert read(write_file("c.txt", prose))[0].text == prose.strip()
    assert read(write_file("d.txt", "제목\t\t지은이\n"))[0].text == "제목\t\t지은이"


CHARACTERS = "## 주석\n## 토큰, 레이블\n## s-0\n한\tB-LC\n강\tI-LC\n \tO\n물\tO\n\n## s-1\n네\tO\n"
WORDS = "## s\n나는\tO\n서울에\tB-LC\n산다\tO\n"


@pytest.mark.parametrize(
    ("content", "texts", "lines"), [(CHARACTERS, ["한강 물", "네"], [4, 10]), (WORDS, ["나는 서울에 산다"], [2])]
)
@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_conll_sentences(name: str, content: str, texts: list[str], lines: list[int]) -> None:
    records = read(write_file(name, content))
    assert [record.text for record in records] == texts
    assert [record.where for record in records] == [f"{name}:{line}" for line in lines]
