"""A stored document with the digest of whatever content a test gives it."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sealed(data: dict[str, Any]) -> str:
    """The document with the digest that belongs to its content."""
    content = {key: value for key, value in data.items() if key not in ("schema_version", "content_sha256")}
    written = json.dumps(content, indent=1, ensure_ascii=False)
    digest = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
    return json.dumps({"schema_version": data["schema_version"], "content_sha256": digest} | content)
