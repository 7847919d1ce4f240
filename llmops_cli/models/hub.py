"""Models of the Hugging Face hub: those in its cache on this machine, and how they get there.

The cache is the one that every program with `huggingface_hub` shares; its layout:
https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.console import Reporter
from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.files import sha256_of, sync
from llmops_cli.models.weights import check_safetensors

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

FILES = ["*.json", "*.safetensors", "*.jinja"]
"""Patterns of a model's files: configuration, tokenizer, template, weights. Nothing that can run code."""
SUBFOLDERS = ["*/*"]
TIMEOUT = 10.0
"""Seconds without a byte after which the hub counts as gone."""
ATTEMPTS = 4
"""Tries in a row that bring no byte before a download is given up."""
PAUSE = 1.0
"""Seconds between them."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Fetched:
    """A hub model in the cache: its commit and folder, its size and what came over the network for it, in bytes."""

    name: str
    commit: str
    folder: Path
    files: int
    size: int
    downloaded: int


@dataclass(frozen=True)
class _File:
    """A file of a model: its size in bytes, and the SHA-256 of its bytes, or Git's SHA-1 of it where `git`."""

    name: str
    size: int
    digest: str
    git: bool

    def fits(self, path: Path) -> bool:
        if self.git:
            header = f"blob {path.stat().st_size}\0".encode()
            return hashlib.sha1(header + path.read_bytes()).hexdigest() == self.digest
        return sha256_of(path) == self.digest


def fetch_command(name: str) -> str:
    """What to type to have a hub model on this machine."""
    return f"llmops model fetch {name}"


def check_hub_name(name: str) -> None:
    """Make sure that a name can be that of a hub model, `owner/model`.

    Raises:
        InputError: it cannot.
    """
    quiet_libraries()
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        pass
    else:
        if name.count("/") == 1:
            return
    raise InputError(f"no name of a hub model: {name!r}", hint="llmops model fetch OWNER/MODEL")


def cached_snapshot(name: str) -> Path | None:
    """The folder of a hub model in the cache, or None; where a download was cut, files may be missing in it."""
    quiet_libraries()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(name, allow_patterns=FILES, ignore_patterns=SUBFOLDERS, local_files_only=True)
    except LocalEntryNotFoundError:
        return None
    return Path(found)


def fetch_model(name: str, reporter: Reporter, revision: str | None = None) -> Fetched:
    """Bring a hub model into the cache, file by file, and check each against the hub's list of them.

    A file that was cut goes on where it stopped; one that is here is only checked. `revision` is a branch, tag or
    commit.

    Raises:
        InputError: the name is none, there is no such revision, or the model has only pickled weights.
        MachineError: the hub cannot be reached or does not give the model out, the disk is too small, or a file is
            not what the hub says it is (it is removed).
    """
    check_hub_name(name)
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()
    repository = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model")
    blobs = repository / "blobs"
    with _explained(name, revision):
        info = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT)
        files = _files(name, info.siblings or [])
        missing = [file for file in files if not _is_here(blobs / file.digest, file, reporter)]
        _check_space(sum(file.size for file in missing), repository)
        received = _fetch_files(name, info.sha, missing, blobs, reporter) if missing else 0
        folder = Path(
            snapshot_download(
                name, revision=revision, allow_patterns=FILES, ignore_patterns=SUBFOLDERS, etag_timeout=TIMEOUT
            )
        )
    for file in files:
        stored = folder / file.name
        if not stored.is_file() or not stored.samefile(blobs / file.digest):
            raise MachineError(f"{file.name} changed on the hub meanwhile", where=name, hint=fetch_command(name))
    return Fetched(name, folder.name, folder, len(files), sum(file.size for file in files), received)


def _files(name: str, siblings: Sequence[RepoSibling]) -> list[_File]:
    names = [sibling.rfilename for sibling in siblings if "/" not in sibling.rfilename]
    check_safetensors(names, name)
    files = []
    for sibling in siblings:
        if "/" in sibling.rfilename or not any(fnmatch(sibling.rfilename, pattern) for pattern in FILES):
            continue
        git = sibling.lfs is None
        digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id or ""
        if not re.fullmatch(r"[0-9a-f]{40}" if git else r"[0-9a-f]{64}", digest) or sibling.size is None:
            what = f"the hub tells no checksum of {sibling.rfilename}"
            raise MachineError(what, where=name, hint="take another mirror in HF_ENDPOINT")
        files.append(_File(sibling.rfilename, sibling.size, digest, git))
    return files


def _is_here(blob: Path, file: _File, reporter: Reporter) -> bool:
    if not blob.is_file():
        return False
    if file.fits(blob):
        return True
    reporter.warn(f"{file.name} is damaged on this machine and is fetched again")
    blob.unlink()
    return False


def _check_space(needed: int, target: Path) -> None:
    there = next(path for path in target.parents if path.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        what = f"needs {needed / 1e9:.2f} GB on disk, {free / 1e9:.2f} GB are free"
        raise MachineError(what, where=str(target.parent), hint="free space, or HF_HOME=FOLDER on another disk")


def _fetch_files(name: str, commit: str | None, files: Sequence[_File], blobs: Path, reporter: Reporter) -> int:
    """Download files one after the other; how many bytes came."""
    from huggingface_hub import hf_hub_url

    received, finished, started = 0, 0, time.monotonic()

    def advance(count: int, position: int) -> None:
        nonlocal received
        received += count
        rate = received / max(time.monotonic() - started, 1e-3) / 1e6
        bar.update((finished + position) // 10**6, f"{rate:.1f} MB/s")

    with reporter.progress(f"{name} (MB)", sum(file.size for file in files) // 10**6) as bar:
        for file in files:
            _fetch_file(hf_hub_url(name, file.name, revision=commit), file, blobs, advance)
            finished += file.size
    return received


def _fetch_file(url: str, file: _File, blobs: Path, advance: Callable[[int, int], None]) -> None:
    """Download one file and give it its place once its checksum fits; `advance` gets new bytes and the position."""
    from huggingface_hub.utils import WeakFileLock

    blobs.mkdir(parents=True, exist_ok=True)
    lock = blobs.parent.parent / ".locks" / blobs.parent.name / f"{file.digest}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if (blobs / file.digest).is_file():  # another process was first
            return
        part = blobs / f"{file.digest}.incomplete"
        _download(url, part, file.size, advance)
        if not file.fits(part):
            part.unlink()
            what = f"{file.name} is not what the hub says: another checksum than {file.digest}; it was removed"
            raise MachineError(what, where=url, hint="run it again; if it stays so, the mirror in HF_ENDPOINT is wrong")
        sync(part)
        part.replace(blobs / file.digest)


def _download(url: str, part: Path, size: int, advance: Callable[[int, int], None]) -> None:
    import httpx2
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    failures = 0
    with part.open("ab") as stream:
        while (begin := stream.tell()) < size:
            headers = build_hf_headers() | {"Accept-Encoding": "identity", "Range": f"bytes={begin}-"}
            try:
                with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
                    hf_raise_for_status(response)
                    if response.status_code != httpx2.codes.PARTIAL_CONTENT:
                        stream.truncate(0)
                        stream.seek(0)
                    for chunk in response.iter_bytes(CHUNK):
                        stream.write(chunk)
                        advance(len(chunk), stream.tell())
            except httpx2.TransportError:
                failures = failures + 1 if stream.tell() == begin else 0
                if failures == ATTEMPTS:
                    raise
                time.sleep(PAUSE)


@contextlib.contextmanager
def _explained(name: str, revision: str | None) -> Iterator[None]:
    """Turn what `huggingface_hub` raises into one line of what, where and what to type next."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    login = f"hf auth login, or export HF_TOKEN=…; then {fetch_command(name)}"
    try:
        yield
    except GatedRepoError as error:
        hint = f"agree to its terms at {constants.ENDPOINT}/{name}; {login}"
        raise MachineError("the hub gives it only to those whom its owners let in", where=name, hint=hint) from error
    except RepositoryNotFoundError as error:
        what = "the hub has no such model, or it is private"
        raise MachineError(what, where=name, hint=f"look at the name; if it is private: {login}") from error
    except RevisionNotFoundError as error:
        raise InputError(f"no revision {revision!r}", where=name, hint=fetch_command(name)) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise MachineError(f"the hub does not let you in ({status})", where=name, hint=login) from error
        raise _unreachable(name, f"it answers {status}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unreachable(
            name, "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else type(error).__name__
        ) from error


def _unreachable(name: str, why: str) -> MachineError:
    from huggingface_hub import constants

    hint = f"with a network: {fetch_command(name)}; without: --set model=FOLDER, or builtin:tiny-ko"
    return MachineError(f"the hub at {constants.ENDPOINT} is unreachable ({why})", where=name, hint=hint)
