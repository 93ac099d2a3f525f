"""The metrics of every clip, in one frame.

Each metric is a column ``stage.metric``, NaN where the stage could not be read or a required label is unknown.
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
GALLERY: Final = "retrieval_gallery"
"""The column ``stage.retrieval_gallery``: the number of portraits in the gallery."""
SIMILARITY: Final = "similarity"
"""The quantity of the cosines to the own portrait."""
FEATURE_DISTANCE: Final = "feature_distance"
"""The quantity of the paper's distances between the features of face and portrait."""
RETRIEVAL: Final = "recall_at_k"
"""The quantity of the metrics for whether the own portrait is among the first k of the gallery."""


def metrics_of(similarity_models: tuple[str, ...], read: Sequence[Attribute] = ()) -> tuple[Metric, ...]:
    """Every metric, in the order in which reports show it.

    Parameters
    ----------
    similarity_models : tuple of str
        The similarity models, the primary one first.
    read : sequence of Attribute
        The attributes that were read; by default those of :data:`audit.core.attributes.ALWAYS`.
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
                f"own portrait among the first {first} of the gallery by cosine ({model})",
                later,
                "low",
                label=f"own portrait {_rank_label(first)}, {model.lower()}",
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


def own_similarity(model: str) -> str:
    """The name of the metric of similarity to the own portrait."""
    return f"similarity_{model.lower()}"


def over_impostors(model: str) -> str:
    """The name of the metric of similarity over impostors.

    Examples
    --------
    >>> over_impostors("FaceRes")
    'similarity_over_impostor_faceres'
    """
    return f"similarity_over_impostor_{model.lower()}"


def retrieval_metric(first: int, model: str) -> str:
    """The name of the metric recall@k, with ``first`` as k.

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


def _rank_label(first: int) -> str:
    return "first in the gallery" if first == 1 else f"among the gallery's first {first}"


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
        Provides the seed that draws the gallery if there are more speakers than it may have portraits.
    retrieval_gallery : int
        The maximum number of portraits in the gallery.
    read : sequence of Attribute
        The attributes to score; by default those of :data:`audit.core.attributes.ALWAYS`.

    Returns
    -------
    DataFrame
        The run's observations, with labels and reads as categories; a float column ``stage.metric`` for each metric
        and stage, NaN where it cannot be scored; ``english``, whether the clip is in English; and, if the run has
        landmarks, a column ``stage.measure`` for each craniofacial measure and stage.
    """
    seen = run.observations
    texts = [name for name in seen.columns if seen[name].dtype.kind not in "biufM" and not _mostly_unique(name)]
    seen = seen.assign(**{name: seen[name].astype("category") for name in texts})
    columns: dict[str, NDArray[np.float64]] = {}
    for stage in STAGES:
        for attribute in read or attributes():
            scores = attribute.score(attribute.reads(seen, stage))
            columns |= {f"{stage}.{name}": values for name, values in scores.items()}
    columns |= _similarity(run, settings or Settings(), retrieval_gallery)
    columns |= _craniofacial(run)
    bad_audio = [status for status in CLIP_STATUSES if status.startswith("audio_")]
    # where the instrument failed, it is unknown whether the model made a face
    known = ~(seen["status"].isin(bad_audio) | (seen["rendered_status"] == "instrument_error")).to_numpy()
    columns["rendered.no_face"] = np.where(known, seen["rendered_status"] != "ok", np.nan)
    english = {code: same_language(code, ENGLISH) for code in seen["language"].unique()}
    frame = pd.DataFrame({name: np.asarray(values, np.float64) for name, values in columns.items()}, index=seen.index)
    return pd.concat([seen, frame, seen["language"].map(english).rename("english")], axis=1)


def _mostly_unique(column: str) -> bool:
    """Whether a column differs in nearly every clip, so that categories would save nothing."""
    return column in ("clip_id", "detail", "audio_sha256") or column.endswith("_face")


def _similarity(run: Run, settings: Settings, gallery: int) -> dict[str, NDArray[np.float64]]:
    """Similarity to the own portrait, to impostors, and the difference; retrieval and distances by the primary model.

    The impostor baseline of a clip is the mean cosine to the portraits of all other speakers of the same group and
    gender (NIST IR 8280 compares within the demographic, never against one fixed threshold). It is missing where group
    or gender is unknown, since impostors of any group or gender would be less similar. A speaker with several portraits
    is represented by their mean.
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
            # the generator's name does not depend on the stage, so that both stages have the same gallery
            rng = settings.generator("retrieval gallery")
            ranks, size = portrait_ranks(features, portraits, seen["speaker_id"], gallery, rng)
            for first in FIRST:
                # recall@k is trivially 1 in a gallery of at most k portraits
                missing = np.isnan(ranks) if first < size else True
                columns[f"{stage}.{retrieval_metric(first, model)}"] = np.where(missing, np.nan, ranks <= first)
            columns[f"{stage}.{GALLERY}"] = np.where(np.isnan(ranks), np.nan, size)
            for kind, distance in feature_distances(features, portraits)._asdict().items():
                columns[f"{stage}.feature_{kind}_{name}"] = distance
    return columns


def _craniofacial(run: Run) -> dict[str, NDArray[np.float64]]:
    """The craniofacial measures at every stage; empty for a run without landmarks."""
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
        The speaker of each clip, and the cell whose other speakers are the impostors.

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
    present = ~np.isnan(portraits[:, 0])
    frame = pd.DataFrame(portraits[present].astype(np.float64))
    means = frame.groupby([demographic.to_numpy()[present], speakers.to_numpy()[present]], sort=True).mean()
    sums, counts = means.groupby(level=0).sum(), means.groupby(level=0).size()
    cells, people = demographic.to_numpy(), speakers.to_numpy()
    own = means.reindex(pd.MultiIndex.from_arrays([cells, people])).to_numpy()
    has_own = ~np.isnan(own[:, 0])
    others = counts.reindex(cells).fillna(0).to_numpy() - has_own
    total = sums.reindex(cells).fillna(0.0).to_numpy() - np.where(has_own[:, None], own, 0.0)
    able = (others > 0) & ~np.isnan(features[:, 0])
    result[able] = np.einsum("ij,ij->i", features[able].astype(np.float64), total[able]) / others[able]
    return result
