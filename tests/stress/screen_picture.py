"""A terminal's screen as a picture."""

from __future__ import annotations

from pathlib import Path

import pyte
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 9, 20, 8
COLOURS = {"default": "#dddddd", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "brightblack": "#8a8f98"}
LATIN = Path(get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"


def draw(screen: pyte.Screen, path: Path, korean: str) -> None:
    """Write a PNG; `korean` is the file of a font that has Hangul."""
    size = (screen.columns * WIDTH + 2 * MARGIN, screen.lines * HEIGHT + 2 * MARGIN)
    picture = Image.new("RGB", size, "#1e2127")
    pen = ImageDraw.Draw(picture)
    latin, hangul = ImageFont.truetype(str(LATIN), 15), ImageFont.truetype(korean, 16)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            if cell.data.strip():
                font = hangul if "ᄀ" <= cell.data[0] <= "힣" else latin
                place = (MARGIN + column * WIDTH, MARGIN + row * HEIGHT)
                pen.text(place, cell.data, font=font, fill=COLOURS.get(cell.fg, COLOURS["default"]))
    left, top = MARGIN + screen.cursor.x * WIDTH, MARGIN + screen.cursor.y * HEIGHT
    pen.rectangle((left, top, left + 2, top + HEIGHT - 2), fill="#61afef")
    picture.save(path)
