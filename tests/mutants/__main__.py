"""`make mutants`: change the code at random places, run the tests that should notice, and say which changes nobody noticed.

Cosmic Ray makes the mutants, in a copy of the tree. What lives and changes nothing is listed, with why, in equivalents.json.
"""

import argparse
import difflib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.mutants.choosing import Spec, chosen
from tests.mutants.groups import GROUPS, Group
from tests.mutants.swapping import is_swappable

ROOT = Path(__file__).parents[2]
EQUIVALENTS = Path(__file__).with_name("equivalents.json")
#: Percent of the mutants that change something which must be killed.
LEAST = 95.0
_SPECS = "SELECT module_path, operator_name, start_pos_row, start_pos_col, occurrence, job_id FROM mutation_specs"


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        _copy(tree)
        results = {name: _run(name, GROUPS[name], tree, options) for name in options.groups}
    lived = [one for found in results.values() for one in found if one["outcome"] == "survived"]
    for one in lived:
        print(
            f"\n{one['module']}: nobody noticed{' (equivalent: ' + one['why'] + ')' if one['why'] else ''}\n{one['diff']}"
        )
    print(f"\n{'':16}{'mutants':>9}{'killed':>9}{'equal':>9}{'killed of the others':>24}")
    total = [one for found in results.values() for one in found]
    for name, found in [*results.items(), ("all", total)]:
        equal = sum(bool(one["why"]) for one in found)
        print(f"{name:16}{len(found):9}{_killed(found):9}{equal:9}{_share(found):22.1f} %")
    if options.json:
        Path(options.json).write_text(json.dumps(total, indent=1), encoding="utf-8")
    return 0 if _share(total) >= LEAST else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--groups", nargs="*", default=list(GROUPS), choices=list(GROUPS), help="which code")
    parser.add_argument("--sample", type=int, default=25, help="mutants of each group; 0 = all, which takes hours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--inside-functions",
        action="store_true",
        help="leave out what runs at the import (constants, defaults, classes): each takes a process of its own",
    )
    parser.add_argument("--cosmic-ray", default=".mutants/bin/cosmic-ray", help="its program")
    parser.add_argument("--json", help="a file for what became of each mutant")
    options = parser.parse_args()
    options.groups = options.groups or list(GROUPS)
    return options


def _copy(tree: Path) -> None:
    """What git knows or would take: Cosmic Ray changes files where they stand."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def _run(name: str, group: Group, tree: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    mutants = _mutants(name, group, tree, options)
    file = tree.parent / f"{name}.json"
    file.write_text(json.dumps(mutants), encoding="utf-8")
    cache = ["-o", f"cache_dir={ROOT / '.pytest_cache'}"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.warm", "--mutants", str(file), *cache]
    ended = subprocess.run([*tests, *group.tests], cwd=tree, env=_environment(tree), check=False)
    file.with_suffix(".tried").touch()
    tried = [json.loads(line) for line in file.with_suffix(".tried").read_text(encoding="utf-8").splitlines()]
    if ended.returncode or len(tried) < len(mutants):
        sys.exit(f"The tests of {name} were stopped: see above.")
    equal = json.loads(EQUIVALENTS.read_text(encoding="utf-8"))
    found = []
    for mutant, end in zip(mutants, tried, strict=True):
        why = _why_equal(equal, mutant["module"], mutant["diff"]) if end["outcome"] == "survived" else ""
        found.append({"group": name, **mutant, **end, "why": why})
    return found


def _mutants(name: str, group: Group, tree: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    config, session = tree.parent / f"{name}.toml", tree.parent / f"{name}.sqlite"
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {json.dumps(list(group.modules))}\ntimeout = 1\nexcluded-modules = []\n"
        'test-command = ""\n\n[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    subprocess.run([options.cosmic_ray, "init", str(config), str(session)], cwd=tree, check=True)
    with sqlite3.connect(session) as database:
        specs = [Spec(*row) for row in database.execute(_SPECS)]
    sources = {spec.module: (tree / spec.module).read_text(encoding="utf-8") for spec in specs}
    kept = chosen(specs, sources, sample=options.sample, seed=options.seed)
    print(f"{name}: {len(kept)} of {len(specs)} mutants", flush=True)
    python = Path(options.cosmic_ray).with_name("python")
    asked = json.dumps([[spec.module, spec.operator, spec.occurrence] for spec in kept])
    command = [str(python), str(Path(__file__).with_name("applying.py"))]
    texts = json.loads(
        subprocess.run(command, cwd=tree, input=asked, check=True, capture_output=True, text=True).stdout
    )
    made = [(spec, text) for spec, text in zip(kept, texts, strict=True) if text is not None]
    mutants = [_mutant(spec, sources[spec.module], text) for spec, text in made]
    tried = [mutant for mutant in mutants if _is_python(mutant["text"])]
    if options.inside_functions:
        tried = [mutant for mutant in tried if is_swappable(sources[mutant["module"]], mutant["text"])]
    return tried


def _is_python(text: str) -> bool:
    """Cosmic Ray negates what cannot be negated, too (`:=`)."""
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _mutant(spec: Spec, source: str, text: str) -> dict[str, Any]:
    lines = difflib.unified_diff(source.splitlines(), text.splitlines(), spec.module, spec.module, lineterm="")
    found = {"job": spec.job, "module": spec.module, "row": spec.row, "operator": spec.operator}
    return {**found, "text": text, "diff": "\n".join(lines)}


def _environment(tree: Path) -> dict[str, str]:
    """The tree's modules, before those of the installed package; also in what tests start."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(tree), os.environ.get("PYTHONPATH")]))}


def _why_equal(equal: list[dict[str, str]], module: str, diff: str) -> str:
    changed = _changed(diff)
    return next((one["why"] for one in equal if [one["module"], one["from"], one["to"]] == [module, *changed]), "")


def _changed(diff: str) -> list[str]:
    """The line as it was and as it became, without blanks around."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return [" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"]


def _killed(found: list[dict[str, Any]]) -> int:
    return sum(one["outcome"] != "survived" for one in found)


def _share(found: list[dict[str, Any]]) -> float:
    """Percent of the mutants that change something which were killed."""
    count = sum(not one["why"] for one in found)
    return 100.0 * _killed(found) / count if count else 100.0


if __name__ == "__main__":
    sys.exit(main())
