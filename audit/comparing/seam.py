"""What a gate asks of two runs: how every check's figure changed."""

from __future__ import annotations

from collections.abc import Mapping

from audit.comparing.both import Both
from audit.comparing.comparable import refuse_what_differs
from audit.comparing.figures import checks_compared
from audit.measuring import evidence_of
from audit.observations import Run
from audit.plan import PORTRAITS, MeasureSettings
from audit.stats import Curve


def paired_changes(
    baseline: Run, candidate: Run, settings: MeasureSettings, names: tuple[str, str] = ("baseline", "candidate")
) -> Mapping[str, Curve]:
    """How every check's figure changed: candidate minus baseline at every confidence, on the same clips and speakers.

    Parameters
    ----------
    baseline, candidate : Run
        Complete runs of one cohort by one instrument.
    settings : MeasureSettings
        How both are measured.
    names : tuple of str
        What the runs are called in an error.

    Returns
    -------
    Mapping of str to Curve
        ``CODE`` for a check's headline figure and ``CODE.group`` for each group's, in the unit and with the sign of
        the finding's figure; :data:`audit.comparing.WORSE` says which direction is harm. The headline of a check of all
        groups at once is the worst change of any group, held together; the groups' own curves stand alone. A figure
        that neither run can give is left out; one without an interval says in its method why.

    Raises
    ------
    RunError
        If the runs differ in more than the model, or one is incomplete.

    Examples
    --------
    >>> import audit
    >>> truth = {"groups": ["asian", "white"], "speakers_per_group": 40}
    >>> worse = truth | {"rendered": {"asian": {"en": {"white": 1}}}}
    >>> runs = audit.simulate(truth), audit.simulate(worse)
    >>> paired_changes(*runs, MeasureSettings())["S2F001"].at(0.95).value
    1.0
    """
    refuse_what_differs([baseline, candidate], names)
    plain = without_files(settings)
    both = Both(evidence_of(baseline, plain), evidence_of(candidate, plain))
    changes: dict[str, Curve] = {}
    for check in checks_compared(both):
        changes[check.code] = check.headline.change
        changes |= {f"{check.code}.{group.group}": group.change for group in check.groups}
    return changes


def without_files(settings: MeasureSettings) -> MeasureSettings:
    """The settings without the files that a comparison does not use: it is about the instrument's own reads."""
    return settings.model_copy(update={"human_readings": None, "calibration": PORTRAITS})
