"""DeepFace's own ``analyze`` served by the embedded models, to measure both ways of asking the same models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deepface.modules import modeling

from audit.instruments import registered


@contextmanager
def serve_analyze() -> Iterator[None]:
    """Let ``DeepFace.analyze`` read race, gender and age by the embedded models while this context lasts."""
    registered.register()
    sources = modeling.AVAILABLE_MODELS["facial_attribute"]
    names = {"Race": "race", "Gender": "gender", "Age": "age"}
    own = {name: sources[name] for name in names}
    modeling.build_model("facial_attribute", registered.ATTRIBUTES["race"])  # makes the cache exist
    cache = modeling.cached_models["facial_attribute"]
    built = {name: cache.pop(name, None) for name in names}
    for name, attribute in names.items():
        sources[name] = sources[registered.ATTRIBUTES[attribute]]
    try:
        yield
    finally:
        sources.update(own)
        for name in names:
            cache.pop(name, None)
            if built[name] is not None:
                cache[name] = built[name]
