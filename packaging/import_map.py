"""`make imports`: which room imports which, how often, and where imports go round in circles.

    python packaging/import_map.py [--root CHECKOUT] [--mermaid FILE]

Reads source text only, so it runs over any checkout without installing it. An import inside a function counts like any
other: it hides a cycle, it does not end it. Imports under `if TYPE_CHECKING:` are marked apart but count as well. Migrations
are left out, for nothing imports them. tests/architecture holds the code to what this finds.
"""

import argparse
import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True, order=True)
class Import:
    #: Dotted names of files; a folder's name is its __init__.py.
    importer: str
    imported: str
    #: Relative to the checkout.
    path: Path
    #: Of the statement's first line, from 1.
    line: int
    in_function: bool
    for_types: bool


def packages(root: Path) -> tuple[str, ...]:
    """The packages that a checkout's layer contract names as its own."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return tuple(settings["tool"]["importlinter"]["root_packages"])


def modules(root: Path) -> dict[str, Path]:
    """Every file of the packages by its dotted name."""
    by_name = {}
    for package in packages(root):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" not in parts:
                by_name[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return by_name


def imports(root: Path) -> list[Import]:
    """Every import of one of our files by another. Raises SyntaxError for a file that is not Python."""
    known = modules(root)
    pairs = set()
    for importer, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
        for node, in_function, for_types in _statements(tree):
            for imported in _targets(node, package, known):
                if imported != importer:
                    pairs.add(
                        Import(
                            importer=importer,
                            imported=imported,
                            path=path.relative_to(root),
                            line=node.lineno,
                            in_function=in_function,
                            for_types=for_types,
                        )
                    )
    return sorted(pairs)


def _statements(
    node: ast.AST, *, in_function: bool = False, for_types: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Every import below a node, with whether it stands inside a function, and whether only type checkers read it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, in_function, for_types
        return
    in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    unread = node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, in_function=in_function, for_types=for_types or child in unread)


def _targets(node: ast.Import | ast.ImportFrom, package: str, known: Mapping[str, Path]) -> set[str]:
    """Our files that a statement names: `from tasks import queue` means tasks/queue.py, not tasks/__init__.py."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parents, node.module] if node.module else parents)
        names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]
    return {name for name in names if name in known}


def room_of(module: str, known: Mapping[str, Path]) -> str:
    """The folder just below a package that a file is in; a file that lies loose in a package is a room of its own."""
    room = ".".join(module.split(".")[:2])
    return room if room in known else module


def graph(arrows: Iterable[tuple[str, str]]) -> Graph:
    """What each importer imports. An arrow from a room to itself is none."""
    edges: dict[str, set[str]] = {}
    for importer, imported in arrows:
        edges.setdefault(importer, set())
        if importer != imported:
            edges[importer].add(imported)
    return {name: frozenset(named) for name, named in edges.items()}


def cycles(arrows: Graph) -> list[tuple[str, ...]]:
    """The members of each knot, the largest first: from each of them imports lead to every other and back."""
    reached = {name: _reached(arrows, name) for name in arrows}
    knots = {
        tuple(sorted(other for other in reached[name] if name in reached.get(other, frozenset())))
        for name in arrows
        if name in reached[name]
    }
    return sorted(knots, key=lambda knot: (-len(knot), knot))


def _reached(arrows: Graph, start: str) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(arrows[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(arrows.get(name, ()))
    return frozenset(seen)


def report(root: Path) -> str:
    """The picture in words."""
    known, pairs = modules(root), imports(root)
    files = {(one.importer, one.imported) for one in pairs}
    rooms = Counter((room_of(importer, known), room_of(imported, known)) for importer, imported in files)
    sizes = Counter(room_of(name, known) for name in known)
    between = {arrow: count for arrow, count in rooms.items() if arrow[0] != arrow[1]}
    lines = [
        f"{len(known)} files in {len(sizes)} rooms; {len(files)} arrows between files, {len(between)} between rooms.",
        "A room is a folder of a package, or a file that lies loose in one. Numbers: files, and arrows between files.",
        "",
        *_cycle_lines("files", cycles(graph(files))),
        *_cycle_lines("rooms", cycles(graph(rooms))),
        "",
        "Rooms and what they import",
    ]
    for room, size in sorted(sizes.items()):
        named = ", ".join(f"{other} {count}" for (one, other), count in sorted(between.items()) if one == room)
        lines.append(f"  {room} ({size}): {named or 'nothing of ours'}")
    lines += _listed("Imports inside functions", (one for one in pairs if one.in_function))
    lines += _listed("Imports for type checkers only", (one for one in pairs if one.for_types))
    return "\n".join(lines) + "\n"


def _cycle_lines(what: str, knots: list[tuple[str, ...]]) -> list[str]:
    if not knots:
        return [f"Cycles of {what}: none"]
    lines = [f"Cycles of {what}: {len(knots)}; the largest has {len(knots[0])}"]
    return lines + [f"  {len(knot)}: {', '.join(knot)}" for knot in knots]


def _listed(heading: str, pairs: Iterable[Import]) -> list[str]:
    lines = [f"  {one.path}:{one.line}: {one.imported}" for one in pairs]
    return ["", f"{heading}: {len(lines)}", *lines]


def mermaid(root: Path) -> str:
    """The rooms and their arrows as a Mermaid diagram; what goes round in circles is red."""
    known = modules(root)
    files = {(one.importer, one.imported) for one in imports(root)}
    rooms = Counter((room_of(importer, known), room_of(imported, known)) for importer, imported in files)
    knot_of = {room: knot for knot in cycles(graph(rooms)) for room in knot}
    lines, red = ["flowchart LR"], []
    names = sorted({room_of(name, known) for name in known})
    for package in packages(root):
        lines.append(f"  subgraph {package}")
        lines += [f'    {_id(name)}["{name}"]' for name in names if name.split(".")[0] == package]
        lines.append("  end")
    arrows = [(one, other, count) for (one, other), count in sorted(rooms.items()) if one != other]
    for position, (one, other, count) in enumerate(arrows):
        lines.append(f"  {_id(one)} -->|{count}| {_id(other)}")
        if one in knot_of and other in knot_of[one]:
            red.append(str(position))
    if red:
        lines.append(f"  linkStyle {','.join(red)} stroke:#c00")
    return "\n".join(lines) + "\n"


def _id(room: str) -> str:
    # "end" and the subgraphs' own names are taken.
    return "room_" + room.replace(".", "_")


def main() -> int:
    parser = argparse.ArgumentParser(description="Which room imports which, and where imports go round in circles.")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="CHECKOUT", help="the code to read (default: this)")
    parser.add_argument("--mermaid", metavar="FILE", help="also write a Mermaid diagram; - for it alone, printed")
    options = parser.parse_args()
    root = options.root.resolve()
    if options.mermaid == "-":
        sys.stdout.write(mermaid(root))
        return 0
    if options.mermaid:
        Path(options.mermaid).write_text(mermaid(root), encoding="utf-8")
    sys.stdout.write(report(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
