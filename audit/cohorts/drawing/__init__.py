"""New fictional speakers of any number, for an audit cohort that nobody has seen."""
