#!/bin/sh
# Makes a base image for runtime/Dockerfile out of Debian's packages, where none can be pulled: Debian 12 with
# Python 3.11, trusting the certificate authorities that this machine trusts.
#
#     scripts/base_image.sh TAG        as root, with mmdebstrap and a running Docker
set -eu
tag=$1
bundle=/etc/ssl/certs/ca-certificates.crt
mmdebstrap --quiet --variant=minbase --include=python3.11,python3.11-venv,ca-certificates \
  --customize-hook="copy-in $bundle /etc/ssl/certs" \
  --customize-hook='rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/var/cache/* "$1"/var/lib/apt/lists/*' \
  bookworm - | docker import - "$tag"
