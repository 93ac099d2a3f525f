"""The checks that ship, one file each."""
