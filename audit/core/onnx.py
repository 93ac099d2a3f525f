"""ONNX Runtime without its telemetry: the one place that imports it."""

from __future__ import annotations

import os
from typing import Any, Final

_OFF: Final = "ORT_DISABLE_TELEMETRY"
"""The variable that turns the telemetry off on Linux and macOS; it is read once, when the package is imported."""


def turn_off_telemetry() -> None:
    """Turn off the telemetry of an ONNX Runtime that this process, or one that it starts, imports later.

    From version 1.29 on, ONNX Runtime otherwise stores an identifier of the machine in the user's cache, sends events
    to Microsoft, and writes a warning to stderr where it cannot.
    """
    os.environ[_OFF] = "1"


def onnxruntime() -> Any:
    """The package ``onnxruntime``, imported on first use, with its telemetry off and only its errors logged."""
    turn_off_telemetry()
    import onnxruntime as package

    package.disable_telemetry_events()  # on Windows, where the variable is not read
    package.set_default_logger_severity(3)
    return package
