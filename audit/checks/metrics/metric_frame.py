"""From readings to figures of one clip: what is scored, apart from how many such figures are put together.

Every figure of one clip is a column ``stage.metric`` of one frame, NaN where the stage could not be read or where the
label that it needs is unknown. Missing never becomes right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks.metrics.craniofacial import MEASURES, craniofacial_measures
from audit.checks.metrics.similarity import FIRST, feature_distances, portrait_ranks
from audit.core.attributes import Attribute, attributes
from audit.core.columns import similarity_column
from audit.core.metric import Metric
from audit.core.vocabulary import CLIP_STATUSES, STAGES, UNKNOWN, same_language
from audit.runs.run import Run
from audit.stats.settings import Settings

ENGLISH: Final = "en"
_SHORT: Final = {1: "first in the gallery"} | {n: f"among the gallery's first {n}" for n in FIRST if n > 1}
GALLERY: Final = "retrieval_gallery"
"""After ``stage.`` the column of how many portraits a face's own one was sought among."""
SIMILARITY: Final = "similarity"
"""The quantity of the cosines to the own portrait."""
FEATURE_DISTANCE: Final = "feature_distance"
"""The quantity of the paper's distances between the features of face and portrait."""
RETRIEVAL: Final = "recall_at_k"
"""The quantity of the metrics that say whether the own portrait is among the first k of the gallery."""


def metrics_of(similarity_models: tuple[str, ...], read: Sequence[Attribute] = ()) -> tuple[Metric, ...]:
    """Every metric, in the order in which it is shown.

    Parameters
    ----------
    similarity_models : tuple of str
        The similarity models, the primary one first.
    read : sequence of Attribute
        The attributes that were read; without them those of :data:`audit.core.attributes.ALWAYS`.
    """
    later = ("ceiling", "rendered")
    primary = similarity_models[:1]
    return (
        *(metric for attribute in read or attributes() for metric in attribute.metrics),
        *(
            metric
            for model in similarity_models
            for metric in (
                _cosine("similarity", model, f"cosine to the own portrait ({model})", "similarity to the own portrait"),
                _cosine(
                    "impostor",
                    model,
                    f"mean cosine to others' portraits of the same group and gender ({model})",
                    "similarity to impostors",
                ),
                _cosine(
                    "similarity_over_impostor",
                    model,
                    f"cosine to the own portrait over that to others' ({model})",
                    "similarity over impostors",
                ),
            )
        ),
        *(
            Metric(
                retrieval_metric(first, model),
                "rate",
                f"own portrait {_among(first)} of the gallery by cosine ({model})",
                later,
                "low",
                label=f"own portrait {_SHORT[first]}, {model.lower()}",
                quantity=RETRIEVAL,
            )
            for model in primary
            for first in FIRST
        ),
        *(
            Metric(
                f"feature_{distance}_{model.lower()}",
                "mean",
                f"{words} between the unit features of face and own portrait ({model})",
                later,
                "high",
                unit,
                f"{short} to the own portrait, {model.lower()}",
                FEATURE_DISTANCE,
            )
            for model in primary
            for distance, words, short, unit in (
                ("angle", "degrees", "angle", "degrees"),
                ("l2", "L2", "L2", "distance"),
                ("l1", "L1", "L1", "distance"),
            )
        ),
        Metric("no_face", "rate", "no face that could be read", ("rendered",), "high", label="no usable face"),
    )


def over_impostors(model: str) -> str:
    """The name of a model's similarity over the impostor baseline.

    Examples
    --------
    >>> over_impostors("FaceRes")
    'similarity_over_impostor_faceres'
    """
    return f"similarity_over_impostor_{model.lower()}"


def retrieval_metric(first: int, model: str) -> str:
    """The name of the rate at which the own portrait is among the ``first`` ones of the gallery.

    Examples
    --------
    >>> retrieval_metric(5, "FaceRes")
    'retrieval_at_5_faceres'
    """
    return f"retrieval_at_{first}_{model.lower()}"


def _cosine(quantity: str, model: str, words: str, label: str) -> Metric:
    worse: Literal["low"] | None = None if quantity == "impostor" else "low"
    name = model.lower()
    family = "" if quantity == "impostor" else SIMILARITY
    return Metric(
        f"{quantity}_{name}", "mean", words, ("ceiling", "rendered"), worse, "cosine", f"{label}, {name}", family
    )


def _among(first: int) -> str:
    return "first" if first == 1 else f"among the first {first}"


def metric_frame(
    run: Run,
    settings: Settings | None = None,
    *,
    retrieval_gallery: int = 1000,
    read: Sequence[Attribute] = (),
) -> pd.DataFrame:
    """Every metric of every clip.

    Parameters
    ----------
    run : Run
        The run.
    settings : Settings, optional
        Their seed draws the gallery, where there are more speakers than it holds.
    retrieval_gallery : int
        Portraits at most among which a face's own one is sought.
    read : sequence of Attribute
        The attributes to score; without them those of :data:`audit.core.attributes.ALWAYS`.

    Returns
    -------
    DataFrame
        The run's observations, labels and reads as categories, with a column ``stage.metric`` for each metric and
        stage, float, NaN where it cannot be scored; ``english``, whether the clip is in English; and where the run has
        landmarks a column ``stage.measure`` for each craniofacial measure and stage.
    """
    seen = run.observations
    texts = [name for name in seen.columns if seen[name].dtype.kind not in "biufM" and not _one_of_its_own(name)]
    seen = seen.assign(**{name: seen[name].astype("category") for name in texts})
    columns: dict[str, NDArray[np.float64]] = {}
    for stage in STAGES:
        for attribute in read or attributes():
            scores = attribute.score(attribute.reads(seen, stage))
            columns |= {f"{stage}.{name}": values for name, values in scores.items()}
    columns |= _likeness(run, settings or Settings(), retrieval_gallery)
    columns |= _craniofacial(run)
    unheard = [status for status in CLIP_STATUSES if status.startswith("audio_")]
    # where the instrument failed, nobody knows whether the model had made a face
    known = ~(seen["status"].isin(unheard) | (seen["rendered_status"] == "instrument_error")).to_numpy()
    columns["rendered.no_face"] = np.where(known, seen["rendered_status"] != "ok", np.nan)
    english = {code: same_language(code, ENGLISH) for code in seen["language"].unique()}
    frame = pd.DataFrame({name: np.asarray(values, np.float64) for name, values in columns.items()}, index=seen.index)
    return pd.concat([seen, frame, seen["language"].map(english).rename("english")], axis=1)


def _one_of_its_own(column: str) -> bool:
    """Whether a column says something else of nearly every clip, so that categories would gain nothing."""
    return column in ("clip_id", "detail", "audio_sha256") or column.endswith("_face")


def _likeness(run: Run, settings: Settings, gallery: int) -> dict[str, NDArray[np.float64]]:
    """Similarity to the own portrait, to others' of the same group and gender, and the difference, at each later stage.

    The impostor baseline of a clip is the mean cosine to the portraits of all other speakers of the same group and
    gender (NIST IR 8280 compares within the demographic, never against one fixed threshold); where either is unknown
    there is none, since impostors of any gender or group would be less alike. A speaker with several
    portraits stands in with their mean. Of the primary model, also retrieval and the paper's distances.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    seen = run.observations
    primary = run.similarity_models[0] if run.similarity_models else ""
    for model in run.similarity_models:
        name, portraits = model.lower(), run.embeddings("portrait", model)
        for stage in ("ceiling", "rendered"):
            features = run.embeddings(stage, model)
            own = seen[similarity_column(stage, model, primary)].to_numpy(np.float64)
            demographic = seen["group"] + "/" + seen["gender"]
            impostor = impostor_similarity(features, portraits, seen["speaker_id"], demographic)
            impostor[(seen[["group", "gender"]] == UNKNOWN).any(axis=1).to_numpy()] = np.nan
            columns[f"{stage}.similarity_{name}"] = own
            columns[f"{stage}.impostor_{name}"] = np.round(impostor, 6)
            columns[f"{stage}.similarity_over_impostor_{name}"] = np.round(own - impostor, 6)
            if model != primary:
                continue
            # at both stages the same gallery, for the generator is named after neither
            rng = settings.generator("retrieval gallery")
            ranks, size = portrait_ranks(features, portraits, seen["speaker_id"], gallery, rng)
            for first in FIRST:
                # a gallery of no more than so many would always have it among them
                missing = np.isnan(ranks) if first < size else True
                columns[f"{stage}.{retrieval_metric(first, model)}"] = np.where(missing, np.nan, ranks <= first)
            columns[f"{stage}.{GALLERY}"] = np.where(np.isnan(ranks), np.nan, size)
            for kind, distance in feature_distances(features, portraits)._asdict().items():
                columns[f"{stage}.feature_{kind}_{name}"] = distance
    return columns


def _craniofacial(run: Run) -> dict[str, NDArray[np.float64]]:
    """The craniofacial measures at every stage, nothing for a run without landmarks."""
    columns: dict[str, NDArray[np.float64]] = {}
    for stage in STAGES:
        landmarks = run.landmarks(stage)
        if landmarks.shape[1]:
            measured = craniofacial_measures(landmarks)
            columns |= {f"{stage}.{measure.name}": measured[:, i] for i, measure in enumerate(MEASURES)}
    return columns


def impostor_similarity(
    features: NDArray[np.float32], portraits: NDArray[np.float32], speakers: pd.Series, demographic: pd.Series
) -> NDArray[np.float64]:
    """The mean cosine of each clip's face to the portraits of the other speakers of its demographic.

    Parameters
    ----------
    features, portraits : ndarray
        Face features by clip, shape [n_clips, D], rows of unit length or of NaN.
    speakers, demographic : Series
        Whose clip it is, and the cell within which impostors are sought.

    Returns
    -------
    ndarray
        Shape [n_clips]; NaN where the face is missing or the demographic has no other portrait.

    Examples
    --------
    >>> one = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    >>> impostor_similarity(one, one, pd.Series(["a", "b"]), pd.Series(["x", "x"])).tolist()
    [0.0, 0.0]
    """
    n = len(speakers)
    result = np.full(n, np.nan)
    if portraits.shape[1] == 0 or features.shape[1] == 0:
        return result
    there = ~np.isnan(portraits[:, 0])
    frame = pd.DataFrame(portraits[there].astype(np.float64))
    means = frame.groupby([demographic.to_numpy()[there], speakers.to_numpy()[there]], sort=True).mean()
    sums, counts = means.groupby(level=0).sum(), means.groupby(level=0).size()
    cells, people = demographic.to_numpy(), speakers.to_numpy()
    own = means.reindex(pd.MultiIndex.from_arrays([cells, people])).to_numpy()
    has_own = ~np.isnan(own[:, 0])
    others = counts.reindex(cells).fillna(0).to_numpy() - has_own
    total = sums.reindex(cells).fillna(0.0).to_numpy() - np.where(has_own[:, None], own, 0.0)
    able = (others > 0) & ~np.isnan(features[:, 0])
    result[able] = np.einsum("ij,ij->i", features[able].astype(np.float64), total[able]) / others[able]
    return result
