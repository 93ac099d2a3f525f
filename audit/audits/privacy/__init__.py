"""What a shared audit must not contain: small cells, ids and paths."""
