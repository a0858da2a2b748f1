"""System calls that a walled-in program may not make: one table, and the filters generated from it."""

from whaledo.execution.seccomp.filters import ARCHITECTURES, OCI_PROFILE, digest, load_filters

__all__ = ["ARCHITECTURES", "OCI_PROFILE", "digest", "load_filters"]
