"""Where data lies: folders, patterns, archives and encodings, and what is wrong with any of them."""

from __future__ import annotations

import gzip
import unicodedata
import zipfile
from pathlib import Path

import pytest
from workbench import Cli, read, read_on, refused, turns, write_file

from llmops_cli.core.errors import InputError
from llmops_cli.data.sources import expand

ROW = '{"text": "가"}\n'


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def archive(name: str, members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(name, "w", method) as file:
        for member, content in members.items():
            file.writestr(member, content)
    return name


def test_folders_are_read_without_hidden_files_and_manifests() -> None:
    for name in ("나.jsonl", nfd("가.jsonl"), ".hidden.jsonl", "x.jsonl.manifest.json", "note.md", "sub/a.csv"):
        write_file(f"d/{name}", ROW)
    for name in (".git/a.json", "__MACOSX/b.json", "sub/.c/d.json"):
        write_file(f"d/{name}", ROW)
    Path("d/folder.json").mkdir()
    names = [unicodedata.normalize("NFC", path.as_posix()) for path in expand(["d"])]
    assert names == ["d/sub/a.csv", "d/가.jsonl", "d/나.jsonl"]
    assert len(expand(["d", "d/나.jsonl", "./d"])) == 3


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("d/*.jsonl", ["a.jsonl", "b.jsonl"]),
        ("d/[b-z].*", ["b.jsonl"]),
        ("d/?.jsonl", ["a.jsonl", "b.jsonl"]),
        ("d/**/*.csv", ["c.csv", "d.csv"]),
        ("d/s*", ["c.csv", "d.csv"]),
    ],
)
def test_patterns(pattern: str, names: list[str]) -> None:
    for name in ("a.jsonl", "b.jsonl", "b.md", "sub/c.csv", "sub/deep/d.csv"):
        write_file(f"d/{name}", ROW)
    assert [path.name for path in expand([pattern])] == names


def test_all_that_is_wrong_with_paths_at_once() -> None:
    Path("empty").mkdir()
    write_file("notes.md", "글")
    write_file("data", "글")
    with pytest.raises(InputError) as caught:
        expand(["nowhere.jsonl", "empty", "*.csv", "notes.md", "data"])
    assert [(problem.where, problem.what.partition(":")[0]) for problem in caught.value.problems] == [
        ("nowhere.jsonl", "no such file or folder"),
        ("empty", "no data file in this folder"),
        ("*.csv", "no data file matches"),
        ("notes.md", "cannot read .md"),
        ("data", "cannot read a file without ending"),
    ]
    with pytest.raises(InputError, match="no input is named"):
        expand([])


def test_names_are_found_and_shown_as_they_are_typed() -> None:
    """An archive made on macOS has NFD names on every machine; keyboards type NFC."""
    write_file(f"모음/{nfd('가나.jsonl')}", ROW)
    (record,) = read("모음/가나.jsonl")
    assert (record.where, record.id) == ("모음/가나.jsonl:1", "가나:1")
    assert read("모음")[0].source == "모음/가나.jsonl"
    Path("모음").rename(nfd("모음"))
    assert read("모음/가*.jsonl")[0].where == "모음/가나.jsonl:1"


@pytest.mark.parametrize("inner", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_compressed_files_are_read_as_they_are(inner: str) -> None:
    content = {"a.csv": "Q,A\n안녕?,반가워.\n", "a.txt": "시"}.get(inner, ROW)
    plain = read(write_file(f"plain/{inner}", content))
    write_file(f"packed/{inner}.gz", gzip.compress(content.encode()))
    archive("packed.zip", {f"deep/{inner}": content})
    archive("twice.zip", {f"{inner}.gz": gzip.compress(content.encode())})
    for path, where in [("packed", f"packed/{inner}.gz"), ("packed.zip", f"packed.zip/deep/{inner}"),
                        ("twice.zip", f"twice.zip/{inner}.gz")]:  # fmt: skip
        records = read(path)
        assert [record.contents() for record in records] == [record.contents() for record in plain]
        assert records[0].source == where
        assert records[0].id.startswith("a:")
    assert sorted(path.name for path in Path().rglob("*") if path.is_file()) == sorted(
        [inner, f"{inner}.gz", "packed.zip", "twice.zip"]
    )


def test_members_are_read_in_nfc_order_without_what_macos_adds() -> None:
    names = ["나.jsonl", nfd("가.jsonl"), "z/a.jsonl", "__MACOSX/._나.jsonl", ".hidden/b.jsonl", "메모.md", "빈/"]
    archive("a.zip", dict.fromkeys(names, ROW))
    assert [record.source for record in read("a.zip")] == ["a.zip/z/a.jsonl", "a.zip/가.jsonl", "a.zip/나.jsonl"]
    archive("b.zip", {"__MACOSX/._나.jsonl": ROW, ".hidden/b.jsonl": ROW})
    assert "no data file in this archive" in refused("b.zip").what


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_member_names_without_the_utf8_flag(encoding: str) -> None:
    """As a Korean Windows and the archiver of macOS write them."""
    placeholder = "x" * len("한강.jsonl".encode(encoding))
    data = Path(archive("a.zip", {f"{placeholder[:-6]}.jsonl": ROW})).read_bytes()
    write_file("a.zip", data.replace(f"{placeholder[:-6]}.jsonl".encode(), "한강.jsonl".encode(encoding)))
    (record,) = read("a.zip")
    assert (record.source, record.id, record.text) == ("a.zip/한강.jsonl", "한강:1", "가")


@pytest.mark.parametrize(
    "member", ["../a.jsonl", "/etc/a.jsonl", "x/../../a.jsonl", "..\\a.jsonl", "C:\\a.jsonl", "C:a.json"]
)
def test_a_member_that_climbs_out_is_refused(member: str) -> None:
    archive("a.zip", {"b.jsonl": ROW})
    data = Path(archive("a.zip", {"p" * len(member): ROW, "b.jsonl": ROW})).read_bytes()
    write_file("a.zip", data.replace(b"p" * len(member), member.encode()))
    records, (problem,) = read_on("a.zip")
    assert [record.source for record in records] == ["a.zip/b.jsonl"]
    assert problem.where == "a.zip"
    assert "climbs out of the archive" in problem.what


def test_bombs_are_refused() -> None:
    """120 MB of zeros in half a megabyte; a good file beside them is read."""
    megabyte = bytes(1_000_000)
    write_file("d/c.jsonl", ROW)
    with gzip.open("d/a.json.gz", "wb", compresslevel=1) as stream:
        stream.writelines([megabyte] * 120)
    with (
        zipfile.ZipFile("d/b.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("a.jsonl", "w") as member,
    ):
        member.writelines([megabyte] * 120)
    assert Path("d/b.zip").stat().st_size < 600_000
    records, problems = read_on("d")
    assert [record.text for record in records] == ["가"]
    assert [problem.where for problem in problems] == ["d/a.json.gz", "d/b.zip/a.jsonl"]
    assert all("200 times its size, as a zip bomb does" in problem.what for problem in problems)


def test_broken_archives() -> None:
    content = "".join(f'{{"text": "{number * 7919 % 10_007}"}}\n' for number in range(300))
    whole = gzip.compress(content.encode())
    write_file("d/a.jsonl.gz", whole[:-20])
    write_file("d/b.jsonl.gz", b"no gzip")
    write_file("d/c.zip", b"PK no zip")
    data = Path(archive("d/d.zip", {"a.jsonl": ROW * 100}, zipfile.ZIP_STORED)).read_bytes()
    write_file("d/d.zip", data.replace("가".encode(), "나".encode(), 1))
    write_file("d/e.zip", data[:-30])
    for name, method in (("f", zipfile.ZIP_DEFLATED), ("g", zipfile.ZIP_BZIP2), ("h", zipfile.ZIP_LZMA)):
        packed = bytearray(Path(archive(f"d/{name}.zip", {"a.jsonl": content}, method)).read_bytes())
        packed[50:70] = b"\xff" * 20
        write_file(f"d/{name}.zip", bytes(packed))
    records, problems = read_on("d")
    assert [problem.where.partition(":")[0] for problem in problems] == [
        "d/a.jsonl.gz", "d/b.jsonl.gz", "d/c.zip", "d/d.zip/a.jsonl",
        "d/e.zip", "d/f.zip/a.jsonl", "d/g.zip/a.jsonl", "d/h.zip/a.jsonl",
    ]  # fmt: skip
    assert all("broken" in problem.what or "cannot be read" in problem.what for problem in problems)
    assert records == []


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(Path(archive("a.zip", {"a.jsonl": ROW})).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    problem = refused(write_file("a.zip", bytes(data)))
    assert (problem.where, "encrypted" in problem.what) == ("a.zip/a.jsonl", True)


TABLE = "Q,A\n안녕?,반가워.\n"


@pytest.mark.parametrize(
    ("name", "content", "line"), [("a.csv", TABLE, 2), ("a.json", '[{"text":\n"동백꽃"}]', 2), ("a.txt", "봄\n", 1)]
)
def test_cp949_is_named_and_read_when_it_may_be(name: str, content: str, line: int) -> None:
    path = write_file(name, content.encode("cp949"))
    problem = refused(path)
    assert problem.where == f"{name}:{line}"
    assert (problem.what, problem.hint) == ("the file is CP949 (EUC-KR), not UTF-8", "--set encoding=cp949")
    same = [record.contents() for record in read(write_file(f"utf8/{name}", content))]
    for encoding in ("cp949", "auto"):
        assert [record.contents() for record in read(path, encoding=encoding)] == same
    assert [record.contents() for record in read(f"utf8/{name}", encoding="auto")] == same
    assert refused(f"utf8/{name}", encoding="cp949").hint == "--set encoding=utf-8"


def test_data_commands_find_the_encoding_of_each_file_and_say_so(cli: Cli) -> None:
    write_file("d/a.csv", TABLE.encode("cp949"))
    write_file("d/b.csv", TABLE)
    answer = cli("data", "convert", "d", "-o", "out.jsonl")
    assert answer.code == 0
    assert [line for line in answer.err.splitlines() if "read as" in line] == ["d/a.csv: read as CP949"]
    assert [turns(record) for record in read("out.jsonl")] == [[("user", "안녕?"), ("assistant", "반가워.")]] * 2


def test_lines_of_another_encoding_are_told_and_the_others_read() -> None:
    lines = [ROW.encode(), '{"text": "봄날"}\n'.encode("cp949"), b'{"text": "caf\xe9"}\n', ROW.encode()]
    for encoding in ("utf-8", "auto"):
        records, problems = read_on(write_file("a.jsonl", b"".join(lines)), encoding=encoding)
        assert [record.where for record in records] == ["a.jsonl:1", "a.jsonl:4"]
        assert [problem.what for problem in problems] == ["not UTF-8: CP949 (EUC-KR)", "not UTF-8: byte 0xe9"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.txt"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_is_refused(name: str, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    problem = refused(write_file(name, (mark + "글 한 줄\n").encode(encoding)), encoding="auto")
    assert (problem.where, problem.what, problem.hint) == (f"{name}:1", "the file is UTF-16", "save it as UTF-8")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.tsv", "a.txt"])
def test_an_empty_file_is_told_and_the_others_are_read(name: str) -> None:
    write_file(f"d/{name}", "")
    write_file("d/b.jsonl.gz", gzip.compress(b""))
    write_file("d/c.csv", TABLE.encode("utf-16"))
    write_file("d/d.jsonl", ROW)
    records, problems = read_on("d")
    assert len(records) == 1
    assert {problem.where: problem.what for problem in problems} == {
        f"d/{name}": "the file is empty",
        "d/b.jsonl.gz": "no rows in this file",
        "d/c.csv:1": "the file is UTF-16",
    }
