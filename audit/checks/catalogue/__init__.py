"""The shipped checks, one per file."""
