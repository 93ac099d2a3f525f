"""Probing a model: Reconstructor + fictional bilingual voices + instrument -> Probe."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from audit.audits.measure import unheard
from audit.cohorts import Cohort
from audit.cohorts.accented_clips import read_accented_clips
from audit.cohorts.importing import embedded
from audit.core.addresses import local_path
from audit.core.attributes import ALWAYS
from audit.core.errors import CohortError, ModelError, RunError
from audit.core.files import make_folder
from audit.core.lock import claim
from audit.core.plan import SIMILARITY
from audit.core.provenance import versions
from audit.core.written_files import refuse_foreign_files
from audit.instruments.protocol import Instrument, attribute_names
from audit.models import AnyModel, Bindable, Described, Playback, Reconstructor
from audit.models.fitted import refuse_fitted
from audit.probes.answers import findings, sentences
from audit.probes.asking import UNCHANGED, Asked, Progress, ask
from audit.probes.changes import properties_of, reads_of, voice_changes, voice_reads
from audit.probes.effects import effect_table, effects, read_table
from audit.probes.factors import AGAIN
from audit.probes.probe import Probe
from audit.probes.tables import tables
from audit.probes.voices import bilingual, drawn
from audit.runs.faces import subfolders
from audit.runs.harness.cache import cache_folder
from audit.runs.run import FACES
from audit.stats import Settings

COHORT = "synthetic_bilingual"


def probe(
    model: AnyModel,
    *,
    instrument: Instrument | None = None,
    cohort: Cohort | None = None,
    voices: int | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    out: str | Path | None = None,
    cache: str = "beside",
    progress: Progress | None = None,
) -> Probe:
    """Measure what changes in a model's faces when one thing about a voice changes.

    The model renders fictional voices in English and in another language, and one English clip of each under every
    factor of :data:`audit.probes.factors.FACTORS`. Voices with accented clips (``accents.csv`` in the cohort's folder)
    are rendered in these as well. The change under a factor is compared with the change between two
    clips of the same voice in the same language.

    Parameters
    ----------
    model : Reconstructor
        The model; see :func:`audit.model`. It must render from audio: existing pictures cannot be probed.
    instrument : Instrument, optional
        The reader of the faces; by default ``audit.instrument(similarity=["FaceRes"])``.
    cohort : Cohort, optional
        Bilingual voices, declared fictional; by default the embedded ones.
    voices : int, optional
        How many of them, distributed evenly over groups, sexes and languages; by default all.
    seed : int
        Seed of the choice of voices and of the statistics.
    confidence : float
        Confidence of the intervals, in (0, 1).
    out : path, optional
        Folder for the faces and probe.json; by default nothing is kept.
    cache : str
        Cache of renderings and readings: ``beside`` the folder, ``none``, or a folder.
    progress : callable, optional
        Called with the number of clips done and the total.

    Returns
    -------
    Probe
        Findings, sentences and tables; see :func:`audit.reports.probe.page.write_probe` for its page.

    Raises
    ------
    ModelError
        If the model shows existing pictures or was mitigated with these voices; if the instrument gives no face
        feature.
    CohortError
        If the cohort is not declared fictional, or has too few voices in two languages.
    RunError
        If the folder contains a run, or another process is using it.
    """
    if isinstance(model, (Playback, Bindable)) or not isinstance(model, Reconstructor):
        raise ModelError(
            f"The model {model.name!r} shows existing pictures and does not use the audio, so it cannot be probed.",
            "a model with render(waveforms, sample_rate)",
            "To audit pictures that a model made elsewhere: audit run --model recorded.",
        )
    people = cohort or Cohort.read(embedded(COHORT))
    if not people.notes.fictional:
        raise CohortError(
            [f"The cohort {people.name} is not declared fictional."],
            "a cohort with fictional = true in its cohort.toml, because altered voices and faces are shown",
            "Use audit run for real voices.",
        )
    settings = Settings(confidence=confidence, seed=seed)
    reader = instrument or _instrument()
    if not reader.similarity_models:
        raise ModelError(
            f"The instrument {reader.name!r} gives no face feature, so a change of the face cannot be measured.",
            "an instrument with at least one similarity model",
        )
    table = drawn(bilingual(people), voices, seed)
    accented = read_accented_clips(people)
    accented = accented[accented["of"].isin(table["clip_id"])]
    refuse_fitted(model, table, people.root)
    with ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            kept = cache_folder("none" if cache == "beside" else cache, folder)
        else:
            folder = local_path(out, "The folder of a probe")
            if (folder / "manifest.json").exists():
                raise RunError(
                    f"{folder} contains a run.", "a folder for the probe alone", "Choose another folder for -o."
                )
            refuse_foreign_files(folder, [Probe.FILE], folders=[FACES, *subfolders(folder)])
            kept = cache_folder(cache, folder)
            make_folder(folder)
            stack.enter_context(claim(folder))
        make_folder(folder / FACES)
        asked = ask(
            table,
            people.root,
            model,
            reader,
            accented=accented,
            faces=folder / FACES,
            cache=kept,
            seed=seed,
            progress=progress,
        )
        made = _probe(asked, people, accented, model, reader, settings)
        if out is not None:
            made.write(folder)
    return made


def _probe(
    asked: Asked, people: Cohort, accented: pd.DataFrame, model: Reconstructor, reader: Instrument, settings: Settings
) -> Probe:
    changes, reads = voice_changes(asked), voice_reads(asked)
    properties = properties_of(asked.read)
    found = effects(changes, settings, properties)
    made = findings(found, settings)
    shifted = read_table(reads, settings, reads_of(asked.read))
    described = model.describe() if isinstance(model, Described) else {}
    again, is_random = _again_words(asked)
    return Probe(
        model={"name": model.name, **described},
        instrument={
            "name": reader.name,
            "similarity_models": list(reader.similarity_models),
            **({} if (names := attribute_names(reader)) == ALWAYS else {"attributes_read": list(names)}),
            **reader.describe(),
        },
        cohort={
            "name": people.name,
            "digest": people.digest,
            "n_voices": int(changes["speaker_id"].nunique()),
            "n_clips": int((asked.faces["factor"] == UNCHANGED).sum()),
            "n_accented_clips": len(accented),
            **({} if accented.empty else {"accents_sha256": _digest(accented)}),
            **people.notes.model_dump(include={"licence", "consent", "notes", "fictional"}),
        },
        settings={
            "seed": settings.seed,
            "confidence": settings.confidence,
            "resamples": settings.resamples,
            "min_voices": settings.min_speakers,
            "margins": {each.name: each.margin for each in properties},
            "face_feature": reader.similarity_models[0],
            "versions": versions(),
        },
        notices=(*_notices(described), *([again] if is_random else [])),
        findings=made,
        sentences=sentences(found, made, shifted, again, settings.confidence),
        tables=tables(asked, effect_table(found), shifted, changes, settings.seed),
    )


def _digest(accented: pd.DataFrame) -> str:
    """The sha256 of the table of accented clips that were used."""
    return hashlib.sha256(accented.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _instrument() -> Instrument:
    from audit.instruments.registry import instrument

    return instrument(similarity=SIMILARITY[:1])


def _again_words(asked: Asked) -> tuple[str, bool]:
    """Whether the same sound gave the same face, in words, and whether it gave another one for any voice."""
    frame = asked.faces
    first = frame[frame["base"] & (frame["factor"] == UNCHANGED)].set_index("speaker_id")["face"]
    second = frame[frame["factor"] == AGAIN.name].set_index("speaker_id")["face"]
    pairs = pd.DataFrame({"first": first, "second": second}).dropna()
    total, other = len(pairs), int((pairs["first"] != pairs["second"]).sum())
    if not total:
        return "The same sound could not be rendered twice for any voice.", False
    if not other:
        return (
            f"The same sound gave the same face, to the pixel, for all {total} voices: changes in this probe "
            "are not due to randomness in the model."
        ), False
    return (
        f"The same sound, rendered again among other clips, gave another face for {other} of {total} "
        "voices: a part of every change in this probe is due to randomness in the model, not to the voice."
    ), True


def _notices(described: Mapping[str, Any]) -> list[str]:
    notices = [
        "The voices and the faces are fictional: no real person speaks or is shown here. The assignment of timbres to "
        "groups is a rule that was made up for these voices.",
        "What a synthetic voice can show: that this model's face depends on the language, the accent, the pitch, the "
        "length or the channel of a voice that is otherwise the same, and in which direction. What it cannot show: how "
        "often that happens to real speakers, or that it does not; a model may treat synthetic speech differently.",
        "A synthetic face has no race, gender or age: each is only what the instrument reads.",
    ]
    if never := unheard(described.get("training_coverage", [])):
        notices.append(f"By the model's own record, its training never heard {never}.")
    return notices
