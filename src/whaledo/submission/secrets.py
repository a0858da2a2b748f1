"""Files that are likely to hold a password or a key, known by their names, or by how a key begins.

A zip is handed to strangers. So what looks like a secret is refused until it is named with `--allow`; it is
not left out quietly, because then nobody would learn that it lay there. The lines are gitignore's syntax,
matched in small letters. Certificates (`.pem` without a private key, as in `certifi`) are public and pass.
"""

from __future__ import annotations

import re
from functools import cache

from pathspec import GitIgnoreSpec

NAMES: dict[str, tuple[str, ...]] = {
    "passwords or other private settings": (
        ".env",
        ".env.*",
        "!.env.example",
        "!.env.sample",
        "!.env.template",
        "!.env.dist",
        ".envrc",
        "secrets.toml",
        "secrets.json",
        "secrets.y*ml",
        ".htpasswd",
        ".vault-token",
        "*.tfstate",
    ),
    "a private key": (
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ecdsa_sk",
        "id_ed25519",
        "id_ed25519_sk",
        "*.pem",
        "*.key",
        "*.p8",
        "*.p12",
        "*.pfx",
        "*.ppk",
        "*.jks",
        "*.keystore",
        "*.kdbx",
        ".ssh/",
        ".gnupg/",
    ),
    "credentials of a cloud": (
        "credentials.json",
        "client_secret*.json",
        "*service-account*.json",
        "*service_account*.json",
        "application_default_credentials.json",
        ".aws/",
        ".azure/",
        "**/.config/gcloud/",
        ".kube/",
        "kubeconfig",
        ".boto",
        ".s3cfg",
        "rclone.conf",
    ),
    "credentials of a service": (
        "kaggle.json",
        ".kaggle/",
        ".netrc",
        "_netrc",
        ".pypirc",
        ".npmrc",
        ".git-credentials",
        ".pgpass",
        ".my.cnf",
        ".dockercfg",
        "**/.docker/config.json",
        "**/huggingface/token",
        "**/.huggingface/token",
        ".comet.config",
    ),
}
"""What a file probably holds, and the names that say so."""

_HEAD_BYTES = 512
_CERTIFICATES_BYTES = 1 << 20
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY|PuTTY-User-Key-File-\d")
_SERVICE_ACCOUNT = re.compile(rb'{[^}]*"type"\s*:\s*"service_account"')
_CERTIFICATE = re.compile(rb"-----BEGIN (TRUSTED )?CERTIFICATE-----")


def head_bytes(name: str) -> int:
    """How much of a file's beginning `secret_kind` has to see; a key may stand behind many certificates."""
    return _CERTIFICATES_BYTES if name.lower().endswith(".pem") else _HEAD_BYTES


def secret_kind(name: str, head: bytes) -> str | None:
    """What secret a file probably holds; None: nothing speaks for one.

    Args:
        name: its path, relative to the packed folder.
        head: its first `head_bytes(name)`.
    """
    if _PRIVATE_KEY.match(head.lstrip()):
        return "a private key"
    if _SERVICE_ACCOUNT.match(head.lstrip()):
        return "credentials of a cloud"
    kind = next((kind for kind, spec in _specs().items() if spec.match_file(name.lower())), None)
    public = name.lower().endswith(".pem") and _CERTIFICATE.search(head) and not _PRIVATE_KEY.search(head)
    return None if public else kind


@cache
def _specs() -> dict[str, GitIgnoreSpec]:
    return {kind: GitIgnoreSpec.from_lines(lines) for kind, lines in NAMES.items()}
