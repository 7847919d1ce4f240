"""What the masker finds and what it wrongly takes, beside `rust_pii_transformer` on the same texts in the same process.

A value counts when it is masked, whatever the label: see `tests.planting.personal_data.is_masked`. The peer does not
look for addresses and says so; its column is there for the texts, not to hold that against it.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from llmops_cli.core.console import print_table
from tests.bench.gauge import gflops
from tests.planting.personal_data import KINDS, WRITINGS, Sample, is_masked, masked_outside, of_kind, of_writing
from tests.planting.personal_lookalikes import lookalikes

PLANTED = 1000
MISSES = 5
PAIRS = 7
REAL = Path("../shared/data/korean")
PEER = "rust_pii_transformer"
_PEER_KINDS = {
    "resident": ("resident_number",),
    "foreigner_registration": ("foreigner_number",),
    "business_registration": ("business_number",),
    "credit_card": ("card",),
    "bank_account": ("account",),
    "phone": ("mobile", "landline"),
    "driver_license": ("driver_licence",),
}


class Masked(NamedTuple):
    """What a masker did to a text: (start, end, kinds that the label may mean) of each span, and the text after."""

    spans: list[tuple[int, int, tuple[str, ...]]]
    output: str


Masker = Callable[[str], Masked]


def run() -> None:
    """Recall by kind and by way of writing, false alarms, speed."""
    maskers: dict[str, Masker] = {"llmops": _ours}
    if importlib.util.find_spec(PEER):
        maskers["peer"] = _peer
    else:
        print(f"no peer to compare with: pip install -r tests/bench/requirements.txt (or: pip install {PEER})")
    _print_recall("by kind, standard writing", {kind: list(of_kind(kind, PLANTED)) for kind in KINDS}, maskers)
    _print_recall("by way of writing", {writing: list(of_writing(writing, PLANTED)) for writing in WRITINGS}, maskers)
    real = _real_sentences()
    if not real:
        print(f"no real sentences at {REAL}: alarms are counted on invented ones only")
    _print_alarms({**real, "invented look-alikes": list(lookalikes(PLANTED))}, maskers)
    planted = [sample.text for writing in WRITINGS for sample in of_writing(writing, 100)]
    _print_speed({**real, "planted": planted}, maskers)


def _ours(text: str) -> Masked:
    from llmops_cli.safety.personal_data import mask

    output, found = mask(text)
    return Masked([(each.start, each.end, (each.kind,)) for each in found], output)


def _peer(text: str) -> Masked:
    import rust_pii_transformer

    done = rust_pii_transformer.mask(text)
    return Masked(
        [
            (each.source.char_start, each.source.char_end, _PEER_KINDS.get(each.entity, (each.entity,)))
            for each in done.applied
        ],
        done.text,
    )


def _print_recall(title: str, planted: dict[str, list[Sample]], maskers: dict[str, Masker]) -> None:
    rows, missed = [], []
    for name, samples in planted.items():
        row = [name, f"{len(samples):,}"]
        for side in ("llmops", "peer"):
            if side not in maskers:
                row += ["-"] * 3
                continue
            done = [(sample, maskers[side](sample.text)) for sample in samples]
            hits = [_is_hit(sample, masked) for sample, masked in done]
            named = sum(_is_named(sample, masked) for sample, masked in done)
            outside = sum(masked_outside(sample, [span[:2] for span in masked.spans]) for sample, masked in done)
            row += [f"{sum(hits) / len(samples):.3f}", f"{named / len(samples):.3f}", f"{outside / len(samples):.2f}"]
            if side == "llmops":
                missed.append((name, [sample for sample, hit in zip(samples, hits, strict=True) if not hit]))
        rows.append(row)
    header = ["", "planted"]
    header += [f"{side} {figure}" for side in ("llmops", "peer") for figure in ("recall", "right kind", "spilled")]
    print_table(title, header, rows)
    print(
        "recall: masked for 90 % and nothing readable; right kind: under its own label; spilled: characters a sentence"
    )
    for name, samples in missed:
        for sample in samples[:MISSES]:
            print(f"missed [{name}] {sample.kind} {sample.written!r} in {sample.text!r}")
        if samples:
            counts = Counter(sample.kind for sample in samples)
            print(f"missed [{name}] {', '.join(f'{kind} {count}' for kind, count in counts.most_common())}")


def _is_hit(sample: Sample, masked: Masked) -> bool:
    return is_masked(sample, [span[:2] for span in masked.spans], masked.output)


def _is_named(sample: Sample, masked: Masked) -> bool:
    return any(start < sample.end and end > sample.start and sample.kind in kinds for start, end, kinds in masked.spans)


def _real_sentences() -> dict[str, list[str]]:
    if not REAL.is_dir():
        return {}
    return {
        "KLUE-NER": list(_klue(REAL / "klue_ner_half_a.tsv")),
        "ChatbotData": list(_chatbot(REAL / "ChatbotData.csv")),
        "KorQuAD": list(_korquad(REAL / "korquad_half_a.json")),
    }


def _klue(path: Path) -> Iterator[str]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("## ")]
        if lines:
            yield "".join(line.split("\t")[0] for line in lines)


def _chatbot(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield from (row["Q"], row["A"])


def _korquad(path: Path) -> Iterator[str]:
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            yield from re.split(r"(?<=[.?!])\s+|\n+", paragraph["context"])
            yield from (question["question"] for question in paragraph["qas"])


def _print_alarms(texts: dict[str, list[str]], maskers: dict[str, Masker]) -> None:
    rows, shown = [], []
    for name, sentences in texts.items():
        row = [name, f"{len(sentences):,}"]
        for side in ("llmops", "peer"):
            if side not in maskers:
                row += ["-", "-"]
                continue
            alarms = [(text, masked.spans) for text in sentences if (masked := maskers[side](text)).spans]
            row += [f"{len(alarms)}", f"{1000 * len(alarms) / len(sentences):.2f}"]
            shown += [
                f"alarm [{side}, {name}] {'/'.join(kinds)} {text[start:end]!r} in {text!r}"
                for text, spans in alarms
                for start, end, kinds in spans
            ]
        rows.append(row)
    header = ["", "sentences", "llmops alarms", "per 1,000", "peer alarms", "per 1,000"]
    print_table("alarms where nothing was planted (a real text may hold real personal data)", header, rows)
    print("\n".join(shown))


def _print_speed(texts: dict[str, list[str]], maskers: dict[str, Masker]) -> None:
    """Interleaved pairs; pairs whose gauge is under 90 % of the best are dropped."""
    rows = []
    for name, sentences in texts.items():
        size = sum(map(len, sentences)) / 1e6
        pairs = []
        for _ in range(PAIRS):
            gauge = gflops()
            pairs.append((gauge, {side: size / _seconds(masker, sentences) for side, masker in maskers.items()}))
        best = max(gauge for gauge, _ in pairs)
        kept = [speeds for gauge, speeds in pairs if gauge >= 0.9 * best]
        speeds = {side: statistics.median(each[side] for each in kept) for side in maskers}
        rows.append(
            [
                name,
                f"{size:.2f}",
                f"{speeds['llmops']:.3f}",
                f"{speeds['peer']:.3f}" if "peer" in speeds else "-",
                f"{statistics.median(each['llmops'] / each['peer'] for each in kept):.2f}" if "peer" in speeds else "-",
                f"{statistics.median(gauge for gauge, _ in pairs):.1f}",
                f"{len(kept)} of {PAIRS}",
            ]
        )
    header = ["", "M characters", "llmops M/s", "peer M/s", "ratio", "gauge GFLOP/s", "pairs kept"]
    print_table("speed of mask(), one call a sentence", header, rows)


def _seconds(masker: Masker, texts: Iterable[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        masker(text)
    return time.perf_counter() - started
