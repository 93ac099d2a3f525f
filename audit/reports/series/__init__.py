"""The pages of a history and of a sweep."""
