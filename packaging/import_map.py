"""Draw who imports whom: rooms (folders) as Mermaid, and the largest cycles. `make imports`, or with another checkout:
`python packaging/import_map.py --root FOLDER`.

Imports inside functions count like any other; those under TYPE_CHECKING do not, for they are not there at run time.
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGES = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "web")

Graph = dict[str, set[str]]


def modules(root: Path) -> dict[str, Path]:
    """Every module of ours by its dotted name; migrations are left out."""
    files = (file for package in PACKAGES for file in sorted((root / package).rglob("*.py")))
    return {_dotted(file.relative_to(root)): file for file in files if "migrations" not in file.parts}


def imports(files: Mapping[str, Path]) -> Graph:
    """Module → modules of ours that it imports."""
    return {name: set(_imported(name, ast.parse(file.read_text()), files)) for name, file in files.items()}


def rooms(graph: Graph) -> Graph:
    """The same between folders ("tasks.sends"); a file that stands in a package itself is a room of its own."""
    result: Graph = {_room(name): set() for name in graph}
    for name, targets in graph.items():
        result[_room(name)] |= {_room(target) for target in targets} - {_room(name)}
    return result


def cycles(graph: Graph) -> list[list[str]]:
    """Strongly connected components of more than one node, the largest first (Tarjan)."""
    reachable = {node: _reach(graph, node) for node in graph}
    found = {frozenset(other for other in reachable[node] if node in reachable[other]) for node in graph}
    return sorted((sorted(ring) for ring in found if len(ring) > 1), key=lambda ring: (-len(ring), ring))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    graph = imports(modules(parser.parse_args().root))
    between = rooms(graph)
    counted = _arrows(graph)
    lines = [
        f"{len(graph)} files, {sum(map(len, graph.values()))} imports, {len(between)} rooms, {len(counted)} arrows"
    ]
    for what, rings in (("files", cycles(graph)), ("rooms", cycles(between))):
        lines.append(f"cycles of {what}: {len(rings)}" + (f"; the largest has {len(rings[0])}" if rings else ""))
        lines += [f"  {', '.join(ring)}" for ring in rings]
    lines += ["", "```mermaid", "flowchart TD"]
    lines += [f"  {source} -->|{number}| {target}" for (source, target), number in sorted(counted.items())]
    sys.stdout.write("\n".join([*lines, "```\n"]))


def _arrows(graph: Graph) -> Counter[tuple[str, str]]:
    pairs = ((_room(name), _room(target)) for name, targets in graph.items() for target in targets)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def _room(name: str) -> str:
    """Two levels: "tasks.providers" is one room, whatever folders it has."""
    return ".".join(name.split(".")[:2])


def _imported(name: str, tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    for node in _at_run_time(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known and alias.name != name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                target = f"{node.module}.{alias.name}"
                target = target if target in known else node.module
                if target in known and target != name:
                    yield target


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_run_time(node)


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


if __name__ == "__main__":
    main()
