"""Known weaknesses in what requirements.txt pins, by pip-audit. Without a connection it says that it looked at nothing, and ends with 0.

python packaging/audit.py [options of pip-audit]
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What pip-audit says, or its trace ends with, when nobody answers.
_OFFLINE = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries exceeded",
    "Could not connect",
    "NameResolutionError",
    "ServiceError",
)


def verdict(code: int, output: str, errors: str) -> tuple[int, list[str]]:
    """The exit status and lines for a person, for what pip-audit answered as JSON."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if any(word in errors for word in _OFFLINE):
            return 0, ["skipped: the service that knows of weaknesses cannot be reached from here"]
        return code or 1, [errors.strip()[-2000:] or "pip-audit said nothing"]
    weak = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in found
        for flaw in one.get("vulns", ())
    ]
    unknown = [one["name"] for one in found if "skip_reason" in one]
    looked_at = len(found) - len(unknown)
    lines = [*weak, f"{looked_at} packages looked at, {len(weak)} known weaknesses"]
    if found and not looked_at:
        lines = ["skipped: the index that is used here knows nothing of weaknesses"]
    elif unknown:
        lines.append(f"not looked at: {', '.join(unknown)}")
    return (1 if weak else 0), lines


def main(arguments: list[str]) -> int:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(ROOT / "requirements.txt"),
        "--require-hashes",
        "--disable-pip",
    ]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip-audit alone
    status, lines = verdict(done.returncode, done.stdout, done.stderr)
    (sys.stderr if status else sys.stdout).write("\n".join(lines) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
