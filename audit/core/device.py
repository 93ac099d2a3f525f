"""The device that a model computes on, as it is named in plans, options and on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

from audit.core.errors import PlanError
from audit.core.registry import Registry

Kind = Literal["auto", "cpu", "cuda", "mps"]
ALLOWED: Final = "auto, cpu, cuda, cuda:0 (or another number) or mps"
_FORM: Final = re.compile(r"([a-z]+)(?::([0-9]{1,3}))?")


@dataclass(frozen=True)
class Device:
    """A device.

    Attributes
    ----------
    kind : {"auto", "cpu", "cuda", "mps"}
        ``auto``: the first NVIDIA GPU if there is one, otherwise the CPU.
    index : int or None
        The number of the GPU.
    """

    kind: Kind
    index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The device with that name.

        Raises
        ------
        PlanError
            If it is not the name of a device.

        Examples
        --------
        >>> Device.parse("cuda:1"), str(Device.parse("cpu"))
        (Device(kind='cuda', index=1), 'cpu')
        """
        found = _FORM.fullmatch(text)
        if found is None or found[1] not in get_args(Kind) or (found[2] and found[1] != "cuda"):
            raise PlanError(f"There is no device {text!r}.", ALLOWED)
        return cls(found[1], int(found[2]) if found[2] else None)  # type: ignore[arg-type]  # one of the kinds

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"


def with_device(registry: Registry, name: str, options: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    """The options of a part of a registry with the option ``device``; as they are if ``device`` is ``None``.

    Raises
    ------
    PlanError
        If it is not the name of a device.
    AuditError
        If the part takes no device, as the model ``recorded``; it is the registry's error.
    """
    if device is None:
        return dict(options)
    chosen = str(Device.parse(device))
    if not registry.takes(name, "device"):
        raise registry.error(
            f"The {registry.kind} {name!r} takes no device, and {device!r} was given.",
            f"a {registry.kind} whose factory has the keyword argument device",
            "Leave the device out.",
        )
    return {**options, "device": chosen}
