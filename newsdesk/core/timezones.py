"""Which timezones there are is pinned: those of the wheel tzdata, and not whatever the machine has.

Systems drop old names (Debian moved US/Pacific into a package of its own) and bring new rules on days of their own choosing: a publication's
clock must not depend on the machine that a worker happens to run on.
"""

import importlib.util
import zoneinfo


def use_pinned() -> bool:
    """Take timezones from the wheel from now on; False, and nothing changes, where a distribution's Python comes without it."""
    if importlib.util.find_spec("tzdata") is None:
        return False
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    return True
