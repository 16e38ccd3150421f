"""Draws docs/images/theme-*.png anew: each theme as a reader sees it, on a wide light screen and on a dark phone."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from composer import merge_tags  # noqa: E402 - found through the line above
from composer.content import EditionContent, SponsorBlock, StoryBlock  # noqa: E402
from composer.rendering import render, theme_names  # noqa: E402
from composer.specimen import specimen  # noqa: E402
from newsdesk.screenshots import Shot, pictures  # noqa: E402

HEIGHT, GAP, GROUND = 1500, 40, "#8b929a"
#: Sky, sun and land of each picture.
SCENES = {
    "quay": ("#f2b880", "#fdf0d5", "#3d5a80"),
    "trams": ("#1d2d44", "#f4d58d", "#0d1b2a"),
    "market": ("#cfe0c3", "#ffffff", "#70a37f"),
    "bicycles": ("#d9c5e8", "#fff4e0", "#7b5ea7"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in theme_names():
            rendering = render(illustrated(specimen(), Path(folder)), theme=name)
            links = {"unsubscribe_url": "https://example.com/u", "preferences_url": "https://example.com/p"}
            html = merge_tags.fill(rendering.html, merge_tags.values(rendering.tags, name="Ana", **links))
            wide, phone = Path(folder) / "wide.png", Path(folder) / "phone.png"
            pictures(html, {wide: Shot(width=640, scheme="light"), phone: Shot(width=375, scheme="dark")})
            target = ROOT / "docs" / "images" / f"theme-{name}.png"
            side_by_side(wide, phone).save(target, optimize=True)
            sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} KB\n")


def illustrated(content: EditionContent, folder: Path) -> EditionContent:
    """The edition with pictures that are at hand: the mail's own are nowhere."""
    blocks = []
    for block in content.blocks:
        if isinstance(block, StoryBlock | SponsorBlock) and block.image:
            block = replace(block, image=replace(block.image, url=drawn(block.key, folder).as_uri()))  # noqa: PLW2901
        blocks.append(block)
    return replace(content, blocks=tuple(blocks))


def drawn(name: str, folder: Path) -> Path:
    sky, sun, land = SCENES[name]
    picture = Pillow.new("RGB", (1200, 675), sky)
    draw = ImageDraw.Draw(picture)
    middle = 300 + 200 * list(SCENES).index(name)
    draw.ellipse((middle - 110, 150, middle + 110, 370), fill=sun)
    draw.polygon([(0, 675), (0, 470), (350, 390), (700, 500), (1200, 360), (1200, 675)], fill=land)
    path = folder / f"{name}.png"
    picture.save(path)
    return path


def side_by_side(wide: Path, phone: Path) -> Pillow.Image:
    sheet = Pillow.new("RGB", (640 + 375 + 3 * GAP, HEIGHT + GAP), GROUND)
    with Pillow.open(wide) as first, Pillow.open(phone) as second:
        sheet.paste(first.convert("RGB").crop((0, 0, 640, min(HEIGHT, first.height))), (GAP, GAP))
        sheet.paste(second.convert("RGB").crop((0, 0, 375, min(HEIGHT, second.height))), (640 + 2 * GAP, GAP))
    # Few colours: flat pictures and text need no more.
    return sheet.resize((sheet.width * 4 // 5, sheet.height * 4 // 5), Pillow.Resampling.LANCZOS).quantize(128)


if __name__ == "__main__":
    main()
