"""The appearance model: fields as cosine coefficients, and the file that holds them."""

from __future__ import annotations

import numpy as np
import pytest

from audit.cohorts.drawing.appearance import FORMAT_VERSION, Fields, Spectra, channel_symmetry, read_appearance
from audit.cohorts.drawing.portraits import MODEL_FILE


def halves(odd: bool) -> np.ndarray:
    """Two random fields of 8 x 8, antisymmetric or symmetric about the vertical middle line."""
    fields = np.random.default_rng(1).normal(size=(2, 8, 8))
    return (fields - fields[:, :, ::-1]) / 2 if odd else (fields + fields[:, :, ::-1]) / 2


@pytest.mark.parametrize("odd", [False, True])
def test_half_of_the_columns_hold_a_field_with_symmetry(odd):
    fields = halves(odd)
    spectra = Spectra.of(fields, odd)
    assert spectra.coefficients.shape == (2, 8, 4)
    assert spectra.combined(np.array([0.5, -2])) == pytest.approx(0.5 * fields[0] - 2 * fields[1], abs=1e-5)


def test_a_constant_field_is_one_coefficient():
    (coefficients,) = Spectra.of(np.full((1, 8, 8), 3.0), odd=False).coefficients
    assert coefficients[0, 0] == pytest.approx(3 * 8)  # orthonormal: the mean times the side
    assert np.abs(coefficients).sum() == pytest.approx(3 * 8, rel=1e-5)


def test_only_x_changes_its_sign_in_the_mirror():
    assert channel_symmetry("shape", uneven=False) == (True, False)
    assert channel_symmetry("shape", uneven=True) == (False, True)
    assert channel_symmetry("texture", uneven=False) == (False,) * 4


def test_channels_are_the_last_axis():
    shapes = np.stack([halves(odd=True), halves(odd=False)], -1)
    fields = Fields.of("shape", False, shapes)
    assert len(fields) == 2
    assert fields.combined(np.array([1, 0])) == pytest.approx(shapes[0], abs=1e-5)


def test_the_shipped_file_holds_eight_cells():
    model = read_appearance(MODEL_FILE)
    assert len(model.cells) == 8
    for cell in model.cells.values():
        directions = len(cell.textures) + len(cell.more_shapes)
        assert cell.towards.shape == (directions, 5)
        assert len(cell.shapes) == len(cell.textures)
        assert len(cell.uneven_shapes) == len(cell.uneven_textures)


def test_another_format_version_is_refused(tmp_path):
    np.savez(tmp_path / "model.npz", format_version=FORMAT_VERSION + 1)
    with pytest.raises(ValueError, match=rf"format version {FORMAT_VERSION + 1}.*reads {FORMAT_VERSION}"):
        read_appearance(tmp_path / "model.npz")
