"""The settings under test: those of production, in a new home, over a database that forgets when it is killed."""

import tempfile
from pathlib import Path

from newsdesk.core import environment

_home = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
# The engines' account must be able to enter it.
_home.chmod(0o711)
# Nobody's environment decides how a test ends.
environment.use({"NEWSDESK_HOME": str(_home)})

from newsdesk.settings import *  # noqa: E402, F403 - the home is chosen before they are read
from newsdesk.settings import STORAGES  # noqa: E402

REQUIRE_DURABLE_DATABASE = False
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
