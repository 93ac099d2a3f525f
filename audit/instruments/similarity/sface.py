"""SFace (Zhong et al. 2021), DeepFace's model of that name: weights of December 2021 in the package, Apache 2.0.

The kernels are stored in 16 bits and widened when the file is loaded, for half the size; cosines of pairs change by at
most .0006. DeepFace's own SFace crops by its detector; here faces are aligned as in the training of SFace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.core.byte_planes import SUFFIX
from audit.instruments.network import session, unit_length
from audit.instruments.offline import PACKAGED
from audit.instruments.similarity.model import Embed, FoundFace, SimilarityModel

NAME: Final = "sface-2021dec-half.onnx"
FILE: Final = PACKAGED / f"{NAME}{SUFFIX}"


def _build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    network = session(FILE)
    name = network.get_inputs()[0].name

    def embed(faces: Sequence[FoundFace]) -> list[NDArray[np.float32]]:
        features = []
        for face in faces:
            assert face.aligned is not None
            batch = np.ascontiguousarray(face.aligned[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
            features.append(unit_length(network.run(None, {name: batch})[0][0]))
        return features

    return embed, {NAME: FILE}


SIMILARITY: Final = SimilarityModel(
    name="SFace", summary="SFace on aligned faces", dimension=128, takes="aligned", build=_build
)
