from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def collected_static_files() -> None:
    """WhiteNoise warns, and warnings fail tests, where nobody has collected static files yet."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
