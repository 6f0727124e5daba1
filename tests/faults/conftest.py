# SPDX-License-Identifier: Apache-2.0
"""Where the harness's modules are, for its tests."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow")]
