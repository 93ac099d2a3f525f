"""A third-party package, ``audit_extras``, and the test that uses all of it without a change to ``audit``."""
