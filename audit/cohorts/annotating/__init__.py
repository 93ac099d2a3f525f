"""Labelling of portraits by several annotators: a blind page; labels, votes and agreement from the answers."""

from audit.cohorts.annotating.answers import AGE_BANDS, read_answers
from audit.cohorts.annotating.labels import AnnotationRound, annotation_round
from audit.cohorts.annotating.sheet import AnnotationSheet, annotation_sheet

__all__ = ["AGE_BANDS", "AnnotationRound", "AnnotationSheet", "annotation_round", "annotation_sheet", "read_answers"]
