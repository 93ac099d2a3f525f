"""Withdrawal of consent: removing one speaker from cohorts, runs, labelling sheets and caches."""

from audit.forgetting.forgetting import Forgotten, forget

__all__ = ["Forgotten", "forget"]
