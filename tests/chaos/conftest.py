"""Tells each run of chaos in one line, also where runs go on side by side in several processes."""

import pytest

#: The name under which a test hands its line over.
LINE = "chaos"
_configs: list[pytest.Config] = []


def pytest_configure(config: pytest.Config) -> None:
    _configs.append(config)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    terminal = _configs[-1].pluginmanager.get_plugin("terminalreporter")
    for name, line in report.user_properties:
        if report.when == "call" and name == LINE and terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(str(line))
