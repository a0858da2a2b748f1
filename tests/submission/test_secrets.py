"""Which files are taken for secrets, and which aren't."""

from __future__ import annotations

import json

import pytest

from whaledo.submission.secrets import secret_kind

SECRETS = [
    ".env",
    "conf/.env.production",
    "ID_RSA",
    "keys/server.pem",
    "server.KEY",
    "cert.p12",
    ".ssh/config",
    ".aws/credentials",
    ".kaggle/kaggle.json",
    "kaggle.json",
    "credentials.json",
    "my-service-account-key.json",
    "client_secret_123.apps.json",
    ".netrc",
    ".pypirc",
    ".git-credentials",
    ".config/gcloud/x",
    ".docker/config.json",
    ".cache/huggingface/token",
]

HONEST = [
    "main.py",
    ".env.example",
    "environment.yml",
    "env/config.py",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "token.txt",
    "model.key.npy",
    "keypoints.json",
    "public.pub",
    "docker/config.json",
    "config.json",
    "secrets.py",
    "credentials.py",
    "gcloud/upload.py",
]

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIFYDCC\n-----END CERTIFICATE-----\n"
PRIVATE_KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert secret_kind(name, b"x")


@pytest.mark.parametrize("name", HONEST)
def test_what_a_model_needs_is_no_secret(name: str) -> None:
    assert secret_kind(name, b"x") is None


def test_a_private_key_is_known_by_its_beginning_whatever_its_name() -> None:
    assert secret_kind("notes.txt", PRIVATE_KEY) == "a private key"
    assert secret_kind("check.py", b"KEY = '-----BEGIN PRIVATE KEY-----'") is None


def test_a_service_account_is_known_whatever_its_name() -> None:
    account = json.dumps({"type": "service_account", "project_id": "x"}, indent=2).encode()
    assert secret_kind("beluga-1a2b3c.json", account) == "credentials of a cloud"


def test_public_certificates_are_no_secret_unless_a_key_is_among_them() -> None:
    assert secret_kind("certifi/cacert.pem", b"\n# Issuer: CN=Root\n" + CERTIFICATE) is None
    assert secret_kind("server.pem", CERTIFICATE * 50 + PRIVATE_KEY)
