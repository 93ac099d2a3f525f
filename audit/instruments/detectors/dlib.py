"""dlib: the HOG detector, as DeepFace runs it."""

from __future__ import annotations

from audit.instruments.detectors.detector import Detector, Geometry, Pass, deepface_find

DETECTOR = Detector(
    name="dlib",
    summary="dlib's HOG detector, which misses a fifth of FairFace's faces",
    # Small first: the detector doubles the picture itself, finds faces from 40 pixels on, and takes 8 ms at 112 pixels
    # but 28 ms at 224.
    passes=(Pass(112), Pass(160, border=0.5), Pass(448)),
    geometry=Geometry(box_to_side=1.244, box_at=(0.46, 0.46), by_eyes=True),
    by_score=False,
    build=deepface_find("dlib"),
)
