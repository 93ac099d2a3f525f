"""S2F005: are the speakers of some groups identified less well by their rendered faces?

A rendered face is compared with the speaker's own portrait and with those of other speakers of the same group and
gender, so that nothing counts that group and gender alone explain (NIST IR 8280 compares within the demographic). The
share of these impostors' portraits that are less similar is 1 for a model that renders every speaker's own portrait and
0.5 for one whose faces say nothing about the speaker, in every group. The similarity itself also depends on how similar
a group's portraits are to each other; it is reported with the finding but not judged, as is recall@k.
"""

from __future__ import annotations

from audit.checks import Evidence, Figure, Finding, GapCheck, GroupFigure, Judged, not_evaluable
from audit.checks.gaps import by_language, group_gaps
from audit.checks.metrics.metric_frame import IDENTIFICATION, RETRIEVAL, identification, over_impostors
from audit.core.sentences import group_words, listing
from audit.stats import verdict

CHANCE = 0.5
"""Expected share of impostor portraits less similar than the own one, if the face says nothing about the speaker."""


class IdentityGap(GapCheck):
    """Identification against impostors of the same group and gender, each group against all others."""

    code = "S2F005"
    title = "Speakers identified less well in some groups"
    question = "Are speakers identified less well by their rendered faces in some groups?"
    scope = "all languages"
    judged = (
        Judged(
            "identification_gap",
            "identification, minus all other groups",
            "share",
            0.10,
            "low",
            two_sided=True,
            per_group=True,
            quantities=(IDENTIFICATION,),
        ),
    )
    needs = "There are fewer than two groups with several portraits of each labelled gender."
    would = "Portraits of at least two speakers of each group and gender."

    def metric(self, evidence: Evidence) -> str | None:
        """Identification by the primary similarity model."""
        models = evidence.similarity_models
        return identification(models[0]) if models else None

    def measure(self, evidence: Evidence) -> Finding:
        """The finding; not evaluable without a similarity model, or where no group is identified above chance."""
        if not evidence.similarity_models:
            return not_evaluable(self, "The instrument has no similarity model.", "An instrument with one.")
        finding = super().measure(evidence)
        own = {group: finding.estimates[f"{group}.own"] for group in finding.by_group}
        if not own or any(_above_chance(figure, len(own), evidence) for figure in own.values()):
            return finding
        shares = listing([f"{group_words(group)} {figure.text}" for group, figure in own.items()])
        judged = {figure.name for figure in self.judged}
        return not_evaluable(
            self,
            f"In no group are the rendered faces shown to identify the speakers better than chance (50%): {shares} of "
            "the portraits of others of the same group and gender are less similar than the own one.",
            "A model whose faces resemble their speakers, or more speakers.",
            # without the gaps, which a gate rule would read as judged
            figures={key: figure for key, figure in finding.estimates.items() if figure.name not in judged},
        )

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The identification of one group, and its gap."""
        return (
            f"{worst.behind['own'].text} of the portraits of others of the same group and gender are less similar to "
            f"{group_words(worst.group)} speakers' rendered faces than their own portraits (chance is 50%), "
            f"{worst.judged.text} compared with all other groups ({evidence.similarity_models[0]})."
        )

    def further(self, evidence: Evidence) -> dict[str, Figure]:
        """Identification and similarity over impostors by each model and language, its gaps, and recall@k."""
        found: dict[str, Figure] = {}
        for model in evidence.similarity_models:
            for name, prefix in (
                (identification(model), identification(model)),
                (over_impostors(model), model.lower()),
            ):
                found[f"{prefix}.all"] = evidence.figure(name, "rendered", evidence.where())
                found |= by_language(evidence, name, f"{prefix}.")
        similarity = over_impostors(evidence.similarity_models[0])
        label = "similarity over impostors, minus all other groups"
        gaps = group_gaps(evidence, similarity)
        for each in gaps:
            key, gap = f"{each.group}.similarity_gap", each.gap.together(len(gaps))
            found[key] = evidence.as_figure(
                gap, similarity, name="similarity_gap", group=each.group, label=label, kind="difference"
            )
            found |= {f"{key}.own": each.own, f"{key}.others": each.others}
        for name in (metric.name for metric in evidence.metrics.values() if metric.quantity == RETRIEVAL):
            found[f"{name}.all"] = evidence.figure(name, "rendered", evidence.where())
            for group in evidence.groups:
                of_group = evidence.where(group=group)
                found[f"{name}.{group}.own"] = evidence.figure(name, "rendered", of_group, group=group)
        return found


def _above_chance(own: Figure, groups: int, evidence: Evidence) -> bool:
    """Whether a group's share is shown to be above chance, simultaneously over the groups."""
    if own.curve is None:
        return False
    share = own.curve.together(groups).at(evidence.settings.confidence)
    return verdict(share, CHANCE, "greater").outcome == "shown"


CHECK = IdentityGap()
