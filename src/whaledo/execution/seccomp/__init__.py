"""System calls that a walled-in program may not make: one table, and the filters generated from it."""

from whaledo.execution.seccomp.filters import ARCHITECTURES, digest, load_filter, profile_path

__all__ = ["ARCHITECTURES", "digest", "load_filter", "profile_path"]
