"""Hostile input: how long each shape of text takes from 10 KB to 2 MB, and by how much a doubling multiplies it.

    python benchmarks/hostile.py [--shapes word] [--most 2000000]

Each shape is read as a digest (`composer.digest.parse`), made an edition, rendered in the publication's theme and looked through by all checks,
in a process of its own; what is refused is timed until its refusal. The seconds are the process's own. The targets: 1 MB of any
text is read, or refused, within 2 s; twice the text takes at most three times as long. Rendering and checks stand apart: their time is
that of the text that is left.
"""

import argparse
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

SIZES = (10_000, 100_000, 1_000_000, 2_000_000)
TARGET, MOST_FACTOR = 2.0, 3.0
#: Seconds until a shape is given up.
PATIENCE = 120.0
_DIGEST = "The Week\n\nHello there.\n\n1. Quay closes\n\nOn Monday.\n\n2. Trams run\n\nAll night.\n\n"
_PAGE = "<html><body><h1>The Week</h1><p>Hello.</p><h2>Quay</h2><p>It closes.</p><h2>Trams</h2><p>They run.</p>"


def repeated(unit: str, head: str = _DIGEST) -> Callable[[int], bytes]:
    encoded, start = unit.encode(), head.encode()
    return lambda size: start + encoded * ((size - len(start)) // len(encoded))


def _numbered(size: int) -> bytes:
    """Stories 3, 4, 5 …: as many headlines as fit."""
    lines, length, number = [_DIGEST], len(_DIGEST), 3
    while length < size - 60:
        line = f"{number}. Story number {number}\n\nIt happened on day {number}.\n\n"
        lines.append(line)
        length += len(line)
        number += 1
    return "".join(lines).encode()


def _nested(size: int) -> bytes:
    depth = (size - len(_PAGE)) // 11
    return (_PAGE + "<div>" * depth + "a" + "</div>" * depth).encode()


def _undecodable(size: int) -> bytes:
    return _DIGEST.encode() + bytes(range(128, 256)) * ((size - len(_DIGEST)) // 128)


def _windows(size: int) -> bytes:
    text = _DIGEST + "Stra\u00dfe und Caf\u00e9 \u2013 \u201eK\u00f6ln\u201c. "
    return text.encode("cp1252") + "Der Stadtrat stimmte f\u00fcr die \u00d6ffnung der Br\u00fccke. ".encode(
        "cp1252"
    ) * ((size - len(text)) // 54)


def _base64(size: int) -> bytes:
    return _DIGEST.encode() + (b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+P+/HgAE" * (size // 70))


SHAPES: Mapping[str, Callable[[int], bytes]] = {
    "merge tags `{{{{`": repeated("{{"),
    "merge tags `{{ first_name `": repeated("{{ first_name "),
    "one word of `a://`": repeated("a://"),
    "one long word": repeated("abcdefghij"),
    "one word before `://`": lambda size: _DIGEST.encode() + b"a" * (size - len(_DIGEST) - 3) + b"://",
    "colons": repeated(":"),
    "`a: `": repeated("a: "),
    "numbered sentences": repeated("3. April is the deadline for all. "),
    "numbered paragraphs": repeated("3. April is the deadline.\n\n"),
    "stories": _numbered,
    "sections": repeated("CULTURE\n\nAn evening at the opera.\n\n"),
    "bullets": repeated("- a point of the list\n"),
    "nested bullets": repeated("  - a\n"),
    "quotes `>`": repeated("> "),
    "brackets `[`": repeated("["),
    "links `[a](b) `": repeated("[a](b) "),
    "emphasis `*_`": repeated("*_"),
    "backticks": repeated("`"),
    "table rows": repeated("| a | b |\n"),
    "one line of words": repeated("The council voted to close the road. "),
    "paragraphs": repeated("The council voted to close the road on Tuesday night.\n\n"),
    "empty lines": repeated("\n"),
    "zero-width spaces": repeated("\u200b"),
    "combining accents": repeated("\u0301"),
    "Chinese": repeated("市议会投票决定关闭这条路。"),
    "Arabic": repeated("صوت المجلس على إغلاق الطريق. "),
    "figures": repeated("12.5 % of 300 million "),
    "names": repeated("Anna Berg of Acme Corp met Li Wei. "),
    "at signs `a@`": repeated("a@"),
    "ampersands `&amp;`": repeated("&amp;"),
    "undecodable bytes": _undecodable,
    "Windows-1252": _windows,
    "NUL bytes": repeated("\0"),
    "base64": _base64,
    "HTML: nested `<div>`": _nested,
    "HTML: open `<b>`": repeated("<b>", _PAGE),
    "HTML: paragraphs": repeated("<p>The council voted to close the road.</p>", _PAGE),
    "HTML: `<li>`": repeated("<li>a", _PAGE),
    "HTML: table rows": repeated("<tr><td>a<td>b</tr>", _PAGE + "<table>"),
    "HTML: `<`": repeated("<", _PAGE),
    "HTML: `<!--`": repeated("<!--", _PAGE),
    "HTML: one attribute": repeated('a="b" ', _PAGE + "<p "),
    "HTML: links": repeated('<a href="https://example.com/a">a</a> ', _PAGE),
    "mail headers": repeated("From: a\n", ""),
}  # fmt: skip


def measured(raw: bytes) -> tuple[float, float, str]:
    """Seconds to read, seconds in all, and what came of it."""
    from composer.checks import check
    from composer.digest import DigestError, content, parse
    from composer.rendering import render
    from composer.sanitising import TextTooLargeError
    from tests.composer.editions import PUBLICATION

    begin = time.process_time()
    try:
        digest = parse(raw)
        read = time.process_time() - begin
        edition = content(digest, PUBLICATION)
        check(edition, render(edition))
    except (DigestError, TextTooLargeError) as error:
        spent = time.process_time() - begin
        return spent, spent, f"refused: {error}"[:70]
    return read, time.process_time() - begin, f"{len(digest.stories)} stories"


def answered(shape: str, size: int, answers: Any) -> None:
    answers.put(measured(SHAPES[shape](size)))


def timed(shape: str, size: int) -> tuple[float, float, str] | None:
    """In a process of its own; None when it was given up."""
    queue: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=answered, args=(shape, size, queue), daemon=True)
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        return None
    return queue.get(timeout=5) if process.exitcode == 0 else (0.0, 0.0, f"the process ended with {process.exitcode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="", help="only those with this word in their name")
    parser.add_argument("--most", type=int, default=SIZES[-1])
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.most]
    measured(_DIGEST.encode())  # what is loaded and compiled once is there in each process
    measured(_PAGE.encode())
    print(f"Python {platform.python_version()}; seconds to read, in brackets with rendering and checks")
    print("| shape |" + "".join(f" {size // 1000:,} KB |" for size in sizes) + " 1 → 2 MB | at the end |")
    print("|---|" + "---|" * (len(sizes) + 2))
    slow = []
    for shape in (name for name in SHAPES if options.shapes in name):
        results = {size: timed(shape, size) for size in sizes}
        cells = [f"{one[0]:.2f} ({one[1]:.2f})" if one else "given up" for one in results.values()]
        one, two = results.get(SIZES[2]), results.get(SIZES[3])
        factor = two[1] / max(one[1], 0.05) if one and two else 0.0
        end = (list(results.values())[-1] or (0, 0, ""))[2].replace("|", "\\|")
        print(f"| {shape} | " + " | ".join(cells) + f" | {factor:.1f} | {end} |", flush=True)
        if any(found is None for found in results.values()) or (one and one[0] > TARGET) or factor > MOST_FACTOR:
            slow.append(shape)
    print(f"\nbeyond the targets: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
