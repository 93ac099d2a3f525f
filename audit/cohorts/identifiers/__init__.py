"""Language identifiers, one in each module; their packages are in the extra ``lid``."""
