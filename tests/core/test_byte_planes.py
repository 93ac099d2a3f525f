"""Byte planes: the format of stored weights is lossless, and damage is an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.core.byte_planes import pack, unpack


@given(st.binary(max_size=200))
def test_packing_is_lossless(content: bytes) -> None:
    assert unpack(pack(content)) == content


@pytest.mark.parametrize("damage", [lambda packed: packed[:-3], lambda packed: b"\0" + packed[1:]])
def test_damaged_weights_are_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="damaged|cut off"):
        unpack(damage(pack(bytes(range(100)))))
