#!/bin/sh
# Installs the packages of a profile's lock into /opt/venv, inside the image's first stage.
set -eu
profile=$1
export NO_COLOR=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never

# pip and uv bring certificates of their own; what the image trusts counts here.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -f "$bundle" ]; then
  export PIP_CERT=$bundle SSL_CERT_FILE=$bundle
fi
# A build argument that isn't given may be set and empty, which would be taken for an address.
[ -n "${PIP_INDEX_URL:-}" ] || unset PIP_INDEX_URL
[ -n "${UV_DEFAULT_INDEX:-}" ] || unset UV_DEFAULT_INDEX

python3.11 -m venv /build/venv
/build/venv/bin/pip install --quiet --require-hashes --requirement /build/build.lock

lock=/build/environment-$profile.lock
set -- --require-hashes --no-deps --no-build --link-mode copy --compile-bytecode
if grep -q '^torch==.*+cpu' "$lock"; then
  if [ -n "${WHALEDO_TORCH_INDEX:-}" ]; then
    set -- "$@" --index "$WHALEDO_TORCH_INDEX" --index-strategy unsafe-best-match
  else
    set -- "$@" --torch-backend cpu
  fi
fi
/build/venv/bin/uv venv --quiet --no-project --python "$(command -v python3.11)" /opt/venv
# For uv a build such as 2.13.0+cpu satisfies ==2.13.0; three signs mean exactly this one.
sed -nE 's/^([a-z0-9.-]+)==([^ ]+).*/\1===\2/p' "$lock" > /build/exact.txt
set -- "$@" --requirements "$lock" --constraints /build/exact.txt
/build/venv/bin/uv pip install --no-progress --python /opt/venv/bin/python "$@"
mkdir -p /opt/whaledo
cp "$lock" /opt/whaledo/environment.lock
sha256sum "$lock" | cut -d ' ' -f 1 > /opt/whaledo/lock.sha256

# The stage is thrown away, but writing it down takes time.
rm -rf /build/venv
