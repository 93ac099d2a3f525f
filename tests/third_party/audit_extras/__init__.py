"""Extensions of speech2face-audit, each declared in a file of its own."""
