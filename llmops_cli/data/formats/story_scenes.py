"""A work told scene by scene (`VL_anime`, `VL_movie`, `VL_series`): `title` and `text: [scene, scene, …]`.

It becomes continuation pairs: title, genre and the scene before in the instruction, the next scene in the
answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of
from llmops_cli.data.names import names_for
from llmops_cli.data.records import Message, Record
from llmops_cli.data.story import about_work, as_list, codes_of
from llmops_cli.text.josa import substitute

SHAPE = "title, text: [scene, …]"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    return isinstance(row.get("text"), list)


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    if not all(isinstance(scene, str) for scene in row["text"]):
        raise InputError("text: want a list of texts, one for each scene", where=place.where)
    scenes = [scene.strip() for scene in row["text"] if scene.strip()]
    if not scenes:
        raise InputError("text: no scene in it", where=place.where)
    work = id_of(row, place)
    names = names_for(work, codes_of(row), scenes, options.names)
    scenes = [substitute(scene, names) for scene in scenes]
    metadata = about_work(row, place, work)
    title = f"'{metadata.get('title', '제목 없음')}'"
    genre = f"({', '.join(as_list(row.get('genre')))})" if as_list(row.get("genre")) else ""
    for number, scene in enumerate(scenes, 1):
        if number == 1:
            instruction = f"{title}{genre} 이야기의 첫 장면을 써 줘."
        else:
            instruction = f"{title}{genre} 이야기의 다음 장면을 이어서 써 줘.\n\n[앞 장면]\n{scenes[number - 2]}"
        yield Record(
            id=f"{work}:{number}",
            messages=(Message("user", substitute(instruction, names)), Message("assistant", scene)),
            source=place.source,
            metadata=metadata | {"part": "scene", "scene": number},
            where=place.where,
        )
