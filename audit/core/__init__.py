"""Errors, vocabulary, files, audio, pictures and plans: what every layer above may use."""
