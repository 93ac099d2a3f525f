"""Removing small cells, ids and paths from audits that are shared."""
