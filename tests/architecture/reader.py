"""packaging/import_map.py as a module: its folder is no package, and bears the name of a library."""

import runpy
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parent.parent.parent

import_map = SimpleNamespace(**runpy.run_path(str(ROOT / "packaging" / "import_map.py")))
