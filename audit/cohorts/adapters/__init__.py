"""Adapters: one file for each data set layout that can be imported."""
