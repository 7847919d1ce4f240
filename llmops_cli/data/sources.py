"""Data files: found by path, folder or pattern, and opened as the bytes inside their compression."""

from __future__ import annotations

import contextlib
import glob
import gzip
import io
import lzma
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Any

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.text.normalize import nfc

MANIFEST_SUFFIX = ".manifest.json"
KINDS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".parquet", ".avro")
KINDS_HELP = f"{', '.join(KINDS)}, each also as .gz or in a .zip"
_ARCHIVE = ".zip"

# Text shrinks to a tenth, text that repeats itself to a fiftieth.
_MOST_TIMES = 200
_USUAL_TIMES = 10
_ALWAYS_ALLOWED = 100_000_000  # bytes
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file of records: one on disk, or a member of a .zip."""

    path: Path
    member: str = ""
    size: int = 0  # bytes, as unpacked where an archive tells

    @property
    def name(self) -> str:
        """How messages and records call it: the path in NFC, `archive.zip/member` in an archive."""
        return nfc(f"{self.path}/{self.member}" if self.member else str(self.path))

    @property
    def suffix(self) -> str:
        """What it is inside its compression: `.jsonl` for `a.jsonl.gz`."""
        return PurePosixPath(self._inner_name).suffix.lower()

    @property
    def stem(self) -> str:
        return nfc(PurePosixPath(self._inner_name).stem)

    @property
    def on_disk(self) -> bool:
        """Whether the bytes on disk are the bytes of the data, so that a part of them can be read alone."""
        return not self.member and not self._is_gzip

    @property
    def _is_gzip(self) -> bool:
        return (self.member or self.path.name).lower().endswith(".gz")

    @property
    def _inner_name(self) -> str:
        name = PurePosixPath(self.member).name or self.path.name
        return name[:-3] if self._is_gzip else name

    def open(self) -> IO[bytes]:
        """The data as a binary stream that never gives more than a compressed file of text can hold.

        Raises:
            InputError: from here or from reading, for a broken archive or one that unpacks beyond all measure.
            OSError: the file cannot be opened.
        """
        if self.on_disk:
            return self.path.open("rb")
        if not self.member:
            return _buffered(gzip.open(self.path), self.name, self.path.stat().st_size)
        try:
            archive = _archive(self.path, self.path.stat().st_mtime_ns)
            size = archive.getinfo(self.member).compress_size
            packed = archive.open(self.member)
        except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, ValueError) as error:
            raise InputError(f"the archive cannot be read: {error}", where=self.name) from None
        return _buffered(gzip.GzipFile(fileobj=packed) if self._is_gzip else packed, self.name, size)


@lru_cache(maxsize=2)  # a directory of thousands of members is read once
def _archive(path: Path, changed: int) -> zipfile.ZipFile:
    for encoding in ("utf-8", "cp949"):  # names are in the one on a Mac, in the other on Windows, and it is not said
        with contextlib.suppress(UnicodeDecodeError):
            return zipfile.ZipFile(path, metadata_encoding=encoding)
    return zipfile.ZipFile(path)


def _buffered(stream: IO[bytes] | gzip.GzipFile, name: str, packed: int) -> IO[bytes]:
    return io.BufferedReader(_Unpacked(stream, name, packed), _BLOCK)


class _Unpacked(io.RawIOBase):
    """A decompressing stream that refuses to go on when it gives far more than was packed."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, name: str, packed: int) -> None:
        self._stream, self._name = stream, name
        self._left = max(_ALWAYS_ALLOWED, _MOST_TIMES * packed)

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise InputError(f"the compressed data is broken: {error}", where=self._name) from None
        self._left -= len(data)
        if self._left < 0:
            what = f"it unpacks to more than {_MOST_TIMES} times its size, as a zip bomb does"
            raise InputError(what, where=self._name, hint="unpack it yourself if you trust it")
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


def expand(paths: Sequence[str]) -> list[Path]:
    """The data files that `paths` name: files as they are, folders with everything inside, each file once.

    A path that is not there is taken for a pattern (`*`, `?`, `[…]`, `**` for folders). Folders are read in the order
    of their NFC names, so that a Mac and a Linux machine agree. Hidden files and manifests are left out of folders.

    Raises:
        InputError: a missing path, a file of an unknown kind, a folder without data files; all at once.
    """
    problems = [] if paths else [Problem("no input is named", "input", "--set input=PATH")]
    found: dict[Path, Path] = {}
    for name in paths:
        path = as_on_disk(name)
        if path is None:
            matches = (match for spelling in _spellings(name) for match in glob.glob(spelling, recursive=True))
            inside = [file for match in matches for file in _data_in(Path(match))]
            if not inside:
                what = "no data file matches" if glob.has_magic(name) else "no such file or folder"
                problems.append(Problem(what, name))
        elif path.is_dir():
            inside = _data_in(path)
            if not inside:
                problems.append(Problem(f"no data file in this folder: want {KINDS_HELP}", name))
        else:
            inside = [path] if _is_data(path) else []
            if not inside:
                kind = path.suffix or "a file without ending"
                problems.append(Problem(f"cannot read {kind}: want {KINDS_HELP}", name))
        for file in sorted(inside, key=lambda file: nfc(file.as_posix())):
            found.setdefault(file.resolve(), file)
    if problems:
        raise InputError(problems)
    return list(found.values())


def as_on_disk(name: str) -> Path | None:
    """The path as the disk spells it, or None where nothing is."""
    path = Path()
    for part in Path(name).parts:
        spelled = (path / spelling for spelling in _spellings(part))
        found = next((place for place in spelled if place.exists()), None)
        if found is None:
            return None
        path = found
    return path


def _spellings(name: str) -> Iterable[str]:
    """A name as it is given, as keyboards type it, and as archives made on macOS hold it; each once."""
    return dict.fromkeys((name, nfc(name), unicodedata.normalize("NFD", name)))


def _data_in(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if _is_data(path) else []
    return [
        file for file in path.rglob("*") if _is_data(file) and not _is_hidden(file.relative_to(path)) and file.is_file()
    ]


def _is_hidden(path: PurePath) -> bool:
    """Whether a file is none of the user's: hidden, or what macOS adds to an archive."""
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in path.parts)


def _is_data(file: Path) -> bool:
    return _holds_records(file.name) or file.suffix.lower() == _ARCHIVE


def _holds_records(name: str) -> bool:
    name = name.lower().removesuffix(".gz")
    return name.endswith(KINDS) and not name.endswith(MANIFEST_SUFFIX)


def sources_of(file: Path) -> Iterator[Source | Problem]:
    """The file itself, or the data files in an archive, by NFC name.

    A Problem stands for an archive that cannot be read or holds none, and for a member whose path climbs out of it.
    """
    name = nfc(str(file))
    try:
        status = file.stat()
        if file.suffix.lower() != _ARCHIVE:
            packed = file.suffix.lower() == ".gz"
            yield Source(file, size=status.st_size * (_USUAL_TIMES if packed else 1))
            return
        infos = _archive(file, status.st_mtime_ns).infolist()
        members = {info.filename: info.file_size for info in infos if not info.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        yield Problem(f"the archive cannot be read: {error}", name)
        return
    except OSError as error:
        yield Problem(f"cannot be read: {error.strerror}", name)
        return
    paths = {member: PurePosixPath(member.replace("\\", "/")) for member in members}
    wanted = [member for member, path in paths.items() if _holds_records(path.name) and not _is_hidden(path)]
    for member in sorted(wanted, key=nfc):
        path = paths[member]
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            yield Problem(f"the member {member!r} climbs out of the archive", name)
        else:
            yield Source(file, member, members[member])
    if not wanted:
        yield Problem(f"no data file in this archive: want {', '.join(KINDS)}", name)
