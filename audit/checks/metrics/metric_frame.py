"""The metrics of every clip, in one frame.

Each metric is a column ``stage.metric``, NaN where the stage could not be read or a required label is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks.metrics.craniofacial import MEASURES, craniofacial_measures
from audit.checks.metrics.similarity import FIRST, feature_distances, identification_shares, portrait_ranks
from audit.core.attributes import Attribute, attributes
from audit.core.columns import similarity_column
from audit.core.languages import same_language
from audit.core.metric import Metric
from audit.core.vocabulary import CLIP_STATUSES, FILE_STATUSES, STAGES, UNKNOWN
from audit.runs.run import Run
from audit.stats.settings import Settings

GALLERY: Final = "retrieval_gallery"
"""The column ``stage.retrieval_gallery``: the number of portraits in the gallery."""
SIMILARITY: Final = "similarity"
"""The quantity of the cosines to the own portrait."""
OVER_IMPOSTORS: Final = "similarity_over_impostor"
"""The quantity of the cosines to the own portrait over those to impostors."""
IDENTIFICATION: Final = "identification"
"""The quantity of the shares of impostor portraits that are less similar to the face than the own portrait."""
FEATURE_DISTANCE: Final = "feature_distance"
"""The quantity of the paper's distances between the features of face and portrait."""
RETRIEVAL: Final = "recall_at_k"
"""The quantity of the metrics for whether the own portrait is among the first k of the gallery."""
MODEL_QUANTITIES: Final = frozenset({SIMILARITY, OVER_IMPOSTORS, IDENTIFICATION, FEATURE_DISTANCE, RETRIEVAL})
"""The quantities that similarity models measure and that say which values are failures."""

_LATER: Final = ("ceiling", "rendered")


def metrics_of(similarity_models: tuple[str, ...], read: Sequence[Attribute] = ()) -> tuple[Metric, ...]:
    """Every metric, in the order in which reports show it.

    ``similarity_models`` are the similarity models, the primary one first; ``read`` the attributes that were read, by
    default those of :data:`audit.core.attributes.ALWAYS`.
    """
    return (
        *(metric for attribute in read or attributes() for metric in attribute.metrics),
        *(metric for model in similarity_models for metric in _cosines(model)),
        *(metric for model in similarity_models[:1] for metric in _of_primary_model(model)),
        Metric("no_face", "rate", "no face that could be read", ("rendered",), "high", label="no usable face"),
    )


def own_similarity(model: str) -> str:
    """The name of the metric of similarity to the own portrait."""
    return f"similarity_{model.lower()}"


def _cosines(model: str) -> Iterator[Metric]:
    """Similarity to the own portrait, to impostors, the difference, and identification."""
    name = model.lower()
    for quantity, words, label in (
        (SIMILARITY, "cosine to the own portrait", "similarity to the own portrait"),
        ("impostor", "mean cosine to others' portraits of the same group and gender", "similarity to impostors"),
        (OVER_IMPOSTORS, "cosine to the own portrait over that to others'", "similarity over impostors"),
    ):
        worse: Literal["low"] | None = None if quantity == "impostor" else "low"
        about = f"{words} ({model})"
        yield Metric(f"{quantity}_{name}", "mean", about, _LATER, worse, "cosine", f"{label}, {name}", quantity)
    about = f"share of others' portraits of the same group and gender less similar than the own ({model})"
    label = f"identification, {name}"
    yield Metric(identification(model), "rate", about, _LATER, "low", label=label, quantity=IDENTIFICATION)


def _of_primary_model(model: str) -> Iterator[Metric]:
    """Retrieval by the primary similarity model, and distances between its features."""
    for first in FIRST:
        place = "first in the gallery" if first == 1 else f"among the gallery's first {first}"
        words = f"own portrait among the first {first} of the gallery by cosine ({model})"
        label = f"own portrait {place}, {model.lower()}"
        yield Metric(retrieval_metric(first, model), "rate", words, _LATER, "low", label=label, quantity=RETRIEVAL)
    for distance, measured_in, unit in (
        ("angle", "degrees", "degrees"),
        ("L2", "L2", "distance"),
        ("L1", "L1", "distance"),
    ):
        name = f"feature_{distance.lower()}_{model.lower()}"
        words = f"{measured_in} between the unit features of face and own portrait ({model})"
        label = f"{distance} to the own portrait, {model.lower()}"
        yield Metric(name, "mean", words, _LATER, "high", unit, label, FEATURE_DISTANCE)


def over_impostors(model: str) -> str:
    """The name of the metric of similarity over impostors.

    Examples
    --------
    >>> over_impostors("FaceRes")
    'similarity_over_impostor_faceres'
    """
    return f"{OVER_IMPOSTORS}_{model.lower()}"


def identification(model: str) -> str:
    """The name of the metric of identification among impostors.

    Examples
    --------
    >>> identification("FaceRes")
    'identification_faceres'
    """
    return f"{IDENTIFICATION}_{model.lower()}"


def retrieval_metric(first: int, model: str) -> str:
    """The name of the metric recall@k, with ``first`` as k.

    Examples
    --------
    >>> retrieval_metric(5, "FaceRes")
    'retrieval_at_5_faceres'
    """
    return f"retrieval_at_{first}_{model.lower()}"


def metric_frame(
    run: Run, settings: Settings | None = None, *, retrieval_gallery: int = 1000, read: Sequence[Attribute] = ()
) -> pd.DataFrame:
    """Every metric of every clip.

    Parameters
    ----------
    settings : Settings, optional
        Provides the seed that draws the gallery if there are more speakers than it may have portraits.
    retrieval_gallery : int
        The maximum number of portraits in the gallery, and of the portraits of one group and gender that a face is
        compared with for identification.
    read : sequence of Attribute
        The attributes to score; by default those of :data:`audit.core.attributes.ALWAYS`.

    Returns
    -------
    DataFrame
        The run's observations, with labels and reads as categories; a float column ``stage.metric`` for each metric
        and stage, NaN where it cannot be scored; ``english``, whether the clip is in English; and, if the run has
        landmarks, a column ``stage.measure`` for each craniofacial measure and stage.
    """
    seen = run.coded
    columns: dict[str, NDArray[np.float64]] = {}
    for stage in STAGES:
        for attribute in read or attributes():
            scores = attribute.score(attribute.reads(seen, stage))
            columns |= {f"{stage}.{name}": values for name, values in scores.items()}
    columns |= _similarity(run, settings or Settings(), retrieval_gallery)
    columns |= _craniofacial(run)
    # where the instrument failed, it is unknown whether the model made a face
    known = files_usable(seen) & (seen["rendered_status"] != "instrument_error").to_numpy()
    columns["rendered.no_face"] = np.where(known, seen["rendered_status"] != "ok", np.nan)
    english = {code: same_language(code, "en") for code in seen["language"].unique()}
    # without one block of all numbers, which would be a second copy of them
    numbers = {
        name: pd.Series(np.asarray(values, np.float64), seen.index, copy=False) for name, values in columns.items()
    }
    frame = pd.DataFrame(numbers, copy=False)
    return pd.concat([seen, frame, seen["language"].map(english).rename("english")], axis=1)


def files_usable(observed: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the audio and the rendered picture of each clip, where the cohort has them as files, can be used.

    The other clips say nothing about the model and enter no estimate about it.
    """
    bad_audio = [status for status in CLIP_STATUSES if status.startswith("audio_")]
    return ~(observed["status"].isin(bad_audio) | observed["rendered_status"].isin(FILE_STATUSES)).to_numpy(bool)


def _similarity(run: Run, settings: Settings, gallery: int) -> dict[str, NDArray[np.float64]]:
    """Similarity to the own portrait, to impostors, and identification; retrieval and distances by the primary model.

    The impostor baseline of a clip is the mean cosine to the portraits of all other speakers of the same group and
    gender (NIST IR 8280 compares within the demographic, never against one fixed threshold). It is missing where group
    or gender is unknown, since impostors of any group or gender would be less similar. A speaker with several portraits
    is represented by their mean. Identification compares with the same impostors.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    if not run.similarity_models:
        return columns
    seen, primary = run.coded, run.similarity_models[0]
    group, gender = (seen[name].astype(object) for name in ("group", "gender"))
    speakers, demographic = seen["speaker_id"], group + "/" + gender
    unlabelled = ((group == UNKNOWN) | (gender == UNKNOWN)).to_numpy()
    labelled = demographic.mask(unlabelled)
    for model in run.similarity_models:
        name, portraits = model.lower(), run.embeddings("portrait", model)
        for stage in _LATER:
            features = run.embeddings(stage, model)
            own = seen[similarity_column(stage, model, primary)].to_numpy(np.float64)
            impostor = impostor_similarity(features, portraits, speakers, demographic)
            # the generators' names do not depend on the stage, so that both stages have the same portraits
            shares = identification_shares(features, portraits, speakers, labelled, gallery, settings.generator)
            impostor[unlabelled] = np.nan
            columns[f"{stage}.similarity_{name}"] = own
            columns[f"{stage}.impostor_{name}"] = np.round(impostor, 6)
            columns[f"{stage}.{over_impostors(model)}"] = np.round(own - impostor, 6)
            columns[f"{stage}.{identification(model)}"] = shares
            if model != primary:
                continue
            rng = settings.generator("retrieval gallery")
            ranks, size = portrait_ranks(features, portraits, speakers, gallery, rng)
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
    return {
        f"{stage}.{measure.name}": values
        for stage in STAGES
        if (landmarks := run.landmarks(stage)).shape[1]
        for measure, values in zip(MEASURES, craniofacial_measures(landmarks).T, strict=True)
    }


def impostor_similarity(
    features: NDArray[np.float32], portraits: NDArray[np.float32], speakers: pd.Series, demographic: pd.Series
) -> NDArray[np.float64]:
    """The mean cosine of each clip's face to the portraits of the other speakers of its demographic.

    ``features`` and ``portraits`` are face features by clip, of shape [n_clips, D], with rows of unit length or of NaN.
    The result has shape [n_clips]: NaN where the face is missing or the demographic has no other portrait.

    Examples
    --------
    >>> one = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    >>> impostor_similarity(one, one, pd.Series(["a", "b"]), pd.Series(["x", "x"])).tolist()
    [0.0, 0.0]
    """
    result = np.full(len(speakers), np.nan)
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
