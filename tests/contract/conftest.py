# SPDX-License-Identifier: Apache-2.0
"""Says loudly when the platforms' own files were not checked against."""
import openapi


def pytest_terminal_summary(terminalreporter):
    if openapi.folder() is None:
        terminalreporter.write_sep("!", "NOT CHECKED against the platforms' OpenAPI files", red=True)
        terminalreporter.write_line(f"{openapi.HOW}. The project's own schemas (tests/contract/schemas) were checked.")
