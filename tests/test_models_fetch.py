"""Models of the hub: fetched, checked, gone on with after a cut, and refused. The hub is a server in this process."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
from hub_server import COMMIT, WEIGHTS, Hub, handler
from workbench import Answer, Cli

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.models import hub as hub_module
from llmops_cli.models.resolve import resolve_model

REAL_LOOKUP = socket.getaddrinfo
NAME = "tiny/model"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tiny_model: Path, tmp_path: Path) -> Iterator[Hub]:
    """A hub that has `tiny/model`, which this process uses."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir()}
    unwanted = {"README.md": b"#", "pytorch_model.bin": b"pickle", "model.py": b"evil()", "onnx/config.json": b"{}"}
    hub.models[NAME] = files | unwanted
    monkeypatch.setattr(socket, "getaddrinfo", REAL_LOOKUP)
    use(monkeypatch, hub.url, tmp_path / "hub-cache")
    monkeypatch.setattr(hub_module, "PAUSE", 0)
    monkeypatch.setattr(hub_module, "CHUNK", 1000)
    yield hub
    server.shutdown()
    server.server_close()


def use(monkeypatch: pytest.MonkeyPatch, endpoint: str, cache: Path) -> None:
    """What HF_ENDPOINT and HF_HOME do for a process that has not imported `huggingface_hub` yet."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))


def blobs() -> dict[str, int]:
    """The names and sizes of the stored files."""
    return {path.name: path.stat().st_size for path in Path("hub-cache").glob("models--*/blobs/*")}


def sha_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def refused(answer: Answer, code: int, *words: str) -> None:
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (code, "", 1), answer.err
    for word in words:
        assert word in answer.err


def test_fetched_are_the_files_of_a_model_and_nothing_that_can_run_code(cli: Cli, hub: Hub, tiny_model: Path) -> None:
    answer = cli("model", "fetch", NAME, "--json")
    assert answer.code == 0, answer.err
    said = answer.json()
    folder = Path(said["folder"])
    assert folder == Path("hub-cache/models--tiny--model/snapshots").resolve() / COMMIT
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in tiny_model.iterdir()
    }
    size = sum(path.stat().st_size for path in tiny_model.iterdir())
    assert said | {"folder": ""} == {
        "name": NAME, "commit": COMMIT, "folder": "", "files": len(blobs()), "size": size, "downloaded": size,
    }  # fmt: skip


def test_a_fetched_model_needs_no_hub(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "fetched" in cli("model", "fetch", NAME).out
    hub.asked.clear()
    answer = cli("model", "show", NAME, "--json")
    assert (answer.code, answer.json()["kind"], hub.asked) == (0, "hub", [])


def test_a_second_fetch_downloads_nothing(cli: Cli, hub: Hub) -> None:
    cli("model", "fetch", NAME)
    hub.asked.clear()
    answer = cli("model", "fetch", NAME)
    assert answer.code == 0
    assert "nothing, it was here" in answer.out
    assert hub.downloads == []
    assert cli("model", "fetch", NAME, "--json").json()["downloaded"] == 0


def test_a_connection_that_breaks_is_taken_up_again(cli: Cli, hub: Hub) -> None:
    hub.cuts = [5000, 3500]
    answer = cli("model", "fetch", NAME)
    assert answer.code == 0, answer.err
    assert [asked for name, asked in hub.downloads if name == WEIGHTS] == ["bytes=0-", "bytes=5000-", "bytes=8000-"]


def test_a_fetch_that_was_cut_goes_on_where_it_stopped(cli: Cli, hub: Hub) -> None:
    hub.cuts = [5000, 0, 0, 0, 0]
    refused(cli("model", "fetch", NAME), 3, "is unreachable (RemoteProtocolError)", f"llmops model fetch {NAME}")
    sha = sha_of(hub.models[NAME][WEIGHTS])
    assert blobs()[f"{sha}.incomplete"] == 5000
    hub.asked.clear()
    answer = cli("model", "fetch", NAME, "--json")
    assert answer.code == 0
    assert (WEIGHTS, "bytes=5000-") in hub.downloads
    assert answer.json()["downloaded"] <= answer.json()["size"] - 5000
    assert blobs()[sha] == len(hub.models[NAME][WEIGHTS])


def test_a_server_that_knows_no_ranges(cli: Cli, hub: Hub) -> None:
    hub.ranges = False
    hub.cuts = [5000]
    assert cli("model", "fetch", NAME).code == 0


def test_a_file_that_is_not_what_the_hub_says_is_removed(cli: Cli, hub: Hub) -> None:
    hub.lies[WEIGHTS] = "ab" * 32
    refused(cli("model", "fetch", NAME), 3, f"{WEIGHTS} is not what the hub says", "ab" * 32, "HF_ENDPOINT")
    assert not [name for name in blobs() if name.startswith("ab")]
    with pytest.raises(MachineError, match="not on this machine"):
        resolve_model(NAME, fetch=False)


def test_a_file_that_was_damaged_here_is_fetched_again(cli: Cli, hub: Hub) -> None:
    cli("model", "fetch", NAME)
    for name in (WEIGHTS, "config.json"):
        stored = Path(f"hub-cache/models--tiny--model/snapshots/{COMMIT}/{name}").resolve()
        content = stored.read_bytes()
        stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    hub.asked.clear()
    answer = cli("model", "fetch", NAME)
    assert answer.code == 0
    assert f"warning: {WEIGHTS} is damaged on this machine" in answer.err
    assert sorted(name for name, _ in hub.downloads) == ["config.json", WEIGHTS]
    assert cli("model", "show", NAME).code == 0


@pytest.mark.parametrize("digest", ["../../evil", "", "xy" * 32])
def test_a_checksum_that_is_none(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch, digest: str) -> None:
    hub.lies[WEIGHTS] = digest or " "
    refused(cli("model", "fetch", NAME), 3, f"the hub tells no checksum of {WEIGHTS}")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((404, "RepoNotFound"), ["tiny/model: the hub has no such model", "hf auth login"]),
        ((401, ""), ["tiny/model: the hub does not let you in (401)", "HF_TOKEN"]),
        ((403, "GatedRepo"), ["only to those whom its owners let in", "agree to its terms at http", "hf auth login"]),
        ((403, ""), ["the hub does not let you in (403)", "hf auth login"]),
        ((503, ""), ["is unreachable (it answers 503)"]),
    ],
)  # fmt: skip
def test_what_the_hub_refuses(cli: Cli, hub: Hub, refusal: tuple[int, str], words: list[str]) -> None:
    hub.refusal = refusal
    refused(cli("model", "fetch", NAME), 3, *words, f"llmops model fetch {NAME}")
    assert blobs() == {}


def test_a_token_reaches_the_hub(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_word")
    assert cli("model", "fetch", NAME).code == 0
    assert hub.tokens == {"Bearer hf_word"}


def test_no_hub_at_all(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", REAL_LOOKUP)
    use(monkeypatch, "http://127.0.0.1:9", tmp_path / "hub-cache")
    refused(
        cli("model", "fetch", NAME), 3, "the hub at http://127.0.0.1:9 is unreachable", f"llmops model fetch {NAME}"
    )
    answer = cli("chat", NAME, "--once", "비?")
    assert "not on this machine, and the hub at http://127.0.0.1:9 is unreachable" in answer.err
    assert f"llmops model fetch {NAME}" in answer.err
    with pytest.raises(MachineError, match=f"not on this machine -> llmops model fetch {NAME}"):
        resolve_model(NAME, fetch=False)


def test_offline_by_choice(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refused(cli("model", "fetch", NAME), 3, "unreachable (HF_HUB_OFFLINE is set)")
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["gpt2", "a/b/c", "builtin:tiny-ko", "./here", "한국어/모델", "a b/c", "https://hub/a/b"]
)
def test_a_name_that_is_no_hub_name(cli: Cli, name: str) -> None:
    refused(cli("model", "fetch", name), 2, name, "llmops model fetch OWNER/MODEL")


def test_a_revision(cli: Cli, hub: Hub) -> None:
    answer = cli("model", "fetch", NAME, "--revision", "v1", "--json")
    assert answer.code == 0
    assert cli("model", "show", answer.json()["folder"]).code == 0
    refused(cli("model", "fetch", NAME, "--revision", "gone"), 2, "tiny/model: no revision 'gone'")


def test_pickled_weights_are_refused_by_name(cli: Cli, hub: Hub) -> None:
    del hub.models[NAME][WEIGHTS]
    refused(cli("model", "fetch", NAME), 2, "only pickled weights (pytorch_model.bin), which can run code")
    assert hub.downloads == []


def test_pickled_weights_in_the_cache_are_refused_by_name(hub: Hub) -> None:
    cache = Path("hub-cache/models--tiny--model")
    snapshot = cache / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name in ("config.json", "pytorch_model.bin"):
        (snapshot / name).write_bytes(hub.models[NAME][name])
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text(COMMIT)
    with pytest.raises(InputError, match=r"only pickled weights \(pytorch_model.bin\), which can run code"):
        resolve_model(NAME)
    assert hub.asked == []


def test_a_disk_that_is_too_small(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    refused(cli("model", "fetch", NAME), 3, "GB on disk, 0.00 GB are free", "HF_HOME=")
    assert hub.downloads == []


def test_a_model_that_is_named_elsewhere_is_fetched_and_checked_too(hub: Hub) -> None:
    hub.cuts = [5000]
    files = resolve_model(NAME)
    assert (files.base / WEIGHTS).read_bytes() == hub.models[NAME][WEIGHTS]
    hub.models[NAME][WEIGHTS] = b""
    assert resolve_model(NAME) == files


def test_a_snapshot_that_lacks_its_weights_is_completed(hub: Hub) -> None:
    folder = hub_module.fetch_model(NAME, SilentReporter()).folder
    (folder / WEIGHTS).unlink()
    assert (resolve_model(NAME).base / WEIGHTS).is_file()


def test_the_mirror_of_the_environment(hub: Hub, tmp_path: Path) -> None:
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "elsewhere")}
    command = [sys.executable, "-m", "llmops_cli", "model", "fetch", NAME]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / f"elsewhere/hub/models--tiny--model/snapshots/{COMMIT}/{WEIGHTS}").is_file()
