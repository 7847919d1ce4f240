"""An annotated story (`VL_novel`): concept, conflict and motif, and units of a storyline and its scenes.

It becomes instruction pairs: the annotations -> the storyline of a unit; a storyline and the scene before ->
a scene.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of
from llmops_cli.data.names import names_for
from llmops_cli.data.records import Message, Record
from llmops_cli.data.story import about_work, as_list, codes_of
from llmops_cli.text.josa import substitute

SHAPE = "title, concept, conflict, units: [{storyline, story_scripts: [{content}]}]"
ORDER = 1

_ANNOTATIONS = (("genre", "장르"), ("concept", "콘셉트"), ("conflict", "갈등"), ("motif", "모티프"))


def matches(row: Row, options: ReadOptions) -> bool:
    units = row.get("units")
    return isinstance(units, list) and bool(units) and isinstance(units[0], dict) and "storyline" in units[0]


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    units = [(as_text(unit, "storyline"), _scenes(unit)) for unit in row["units"] if isinstance(unit, dict)]
    annotations = {label: ", ".join(as_list(row.get(key))) for key, label in _ANNOTATIONS}
    texts = [text for storyline, scenes in units for text in (storyline, *scenes)]
    if not any(texts):
        raise InputError("units: no storyline and no scene in them", where=place.where)
    work = id_of(row, place)
    characters = {
        *codes_of(row),
        *(code for unit in row["units"] if isinstance(unit, dict) for code in codes_of(unit)),
    }
    names = names_for(work, characters, [*texts, *annotations.values()], options.names)
    metadata = about_work(row, place, work)

    def record(identity: str, lines: list[str], answer: str, **where_in_work: Any) -> Record:
        prompt = "\n".join(line for line in lines if line)
        messages = Message("user", substitute(prompt, names)), Message("assistant", substitute(answer, names))
        about = metadata | where_in_work
        return Record(f"{work}:{identity}", messages, source=place.source, metadata=about, where=place.where)

    title = f"제목: {metadata['title']}" if "title" in metadata else ""
    given = [title, *(f"{label}: {text}" for label, text in annotations.items() if text)]
    before = ""
    previous_scene = ""
    for number, (storyline, scenes) in enumerate(units, 1):
        if storyline:
            order = "다음 설정으로 이야기의 줄거리를 써 줘." if not before else "다음 설정으로 이어지는 줄거리를 써 줘."
            context = [f"[앞 줄거리]\n{before}"] if before else []
            yield record(f"{number}", [order, *given, *context], storyline, part="storyline", unit=number)
            before = storyline
        for index, scene in enumerate(scenes, 1):
            plot = [f"[줄거리]\n{storyline}"] if storyline else []
            context = [f"[앞 장면]\n{previous_scene}"] if previous_scene else []
            lines = ["다음 줄거리에 맞는 장면을 써 줘.", title, *plot, *context]
            yield record(f"{number}.{index}", lines, scene, part="scene", unit=number, scene=index)
            previous_scene = scene


def as_text(unit: Mapping[str, Any], key: str) -> str:
    """The text or the joined list of texts at `key`, or an empty text."""
    return "\n".join(as_list(unit.get(key)))


def _scenes(unit: Mapping[str, Any]) -> list[str]:
    scripts = unit.get("story_scripts")
    found = (
        [as_text(script, "content") for script in scripts if isinstance(script, dict)]
        if isinstance(scripts, list)
        else []
    )
    return [scene for scene in found if scene]
