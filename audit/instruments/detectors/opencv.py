"""opencv: the Haar cascade, as DeepFace runs it."""

from __future__ import annotations

from audit.instruments.detectors.detector import Detector, Geometry, Pass, deepface_find

DETECTOR = Detector(
    name="opencv",
    summary="OpenCV's Haar cascade, DeepFace's own default",
    passes=(Pass(160, border=0.25), Pass(224, border=0.5), Pass(448)),
    geometry=Geometry(box_to_side=1.4, box_at=(0.49, 0.5), by_eyes=True),
    by_score=False,
    build=deepface_find("opencv"),
)
