"""Devices: named in one form, refused where they are not there, and never ignored."""

from __future__ import annotations

import pytest

import audit
from audit.core.device import Device
from audit.core.errors import ModelError, PlanError
from audit.instruments.registry import instrument
from audit.models.pytorch import available_devices, chosen_device
from tests.fakes import LoudnessModel


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cpu:0", "CUDA", "", "cuda:-1"])
def test_another_name_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(PlanError, match="There is no device.*auto, cpu, cuda"):
        Device.parse(text)


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=r"'cuda:99' is not available.*Allowed: cpu.* or auto"):
        chosen_device("cuda:99")
    assert str(chosen_device("cpu")) == "cpu"
    assert chosen_device("auto") == chosen_device(None)
    assert str(chosen_device("auto")) == ("cuda" if "cuda:0" in available_devices() else "cpu")


def test_a_model_without_a_device_says_so() -> None:
    with pytest.raises(ModelError, match="The model 'recorded' takes no device"):
        audit.model("recorded", device="cpu")
    with pytest.raises(ModelError, match="The instrument 'embedded' takes no device"):
        instrument("embedded", device="cpu")


def test_a_model_that_cannot_be_moved_is_refused_before_anything_is_read() -> None:
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    with pytest.raises(ModelError, match=r"cannot be moved to the device 'cpu'.*no method to\(device\)"):
        audit.run(cohort, model=LoudnessModel(), instrument=instrument("embedded"), device="cpu")
