"""S2F005: do the rendered faces of some groups resemble their speakers less?

Similarity is measured over the baseline of impostors of the same group and gender, which removes what group and gender
alone explain. The recall@k of the own portrait in a gallery is reported with it.
"""

from __future__ import annotations

from dataclasses import replace

from audit.checks import Evidence, Figure, Finding, GapCheck, GroupFigure, Judged, not_evaluable
from audit.checks.gaps import by_language
from audit.checks.metrics.metric_frame import OVER_IMPOSTORS, RETRIEVAL, SIMILARITY, over_impostors
from audit.core.sentences import group_words


class IdentityGap(GapCheck):
    """Similarity over the same-demographic impostor baseline, each group against all others."""

    code = "S2F005"
    title = "Similarity to the own portrait differs between groups"
    question = "Does the similarity to the own portrait differ between groups?"
    scope = "all languages"
    judged = (
        Judged(
            "similarity_gap",
            "similarity over impostors, minus all other groups",
            "cosine",
            0.05,
            "low",
            two_sided=True,
            per_group=True,
            quantities=(SIMILARITY, OVER_IMPOSTORS),
        ),
    )
    needs = "There are fewer than two groups with several portraits of each labelled gender."
    would = "Portraits of at least two speakers of each group and gender."

    def metric(self, evidence: Evidence) -> str | None:
        """Similarity over impostors by the primary model."""
        models = evidence.similarity_models
        return over_impostors(models[0]) if models else None

    def measure(self, evidence: Evidence) -> Finding:
        """The finding; not evaluable where the instrument has no similarity model."""
        if not evidence.similarity_models:
            return not_evaluable(self, "The instrument has no similarity model.", "An instrument with one.")
        return super().measure(evidence)

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The similarity of one group, and its gap."""
        own = replace(worst.behind["own"], kind="difference")
        return (
            f"Rendered faces of {group_words(worst.group)} speakers have a cosine similarity to their own portraits "
            f"{own.text} above that to portraits of others of the same group and gender "
            f"({evidence.similarity_models[0]}). Compared with all other groups, this is {worst.judged.text}."
        )

    def further(self, evidence: Evidence) -> dict[str, Figure]:
        """Similarity over impostors by each model and language, and recall@k."""
        found: dict[str, Figure] = {}
        for model in evidence.similarity_models:
            name = over_impostors(model)
            found[f"{model.lower()}.all"] = evidence.figure(name, "rendered", evidence.where())
            found |= by_language(evidence, name, f"{model.lower()}.")
        for name in (metric.name for metric in evidence.metrics.values() if metric.quantity == RETRIEVAL):
            found[f"{name}.all"] = evidence.figure(name, "rendered", evidence.where())
            for group in evidence.groups:
                own = evidence.where(group=group)
                found[f"{name}.{group}.own"] = evidence.figure(name, "rendered", own, group=group)
        return found


CHECK = IdentityGap()
