#!/bin/sh
# Sets up .venv from a lock file: scripts/setup.sh run (what tagtrail needs) or dev (what its tests need as well, with
# the servers that they start in .venv/servers).
#
# Every package is pinned by version and hash. pip, the one that the machine's own configuration speaks to, brings the
# pinned uv; uv brings the rest, and where it reaches no index (it does not read pip's configuration) pip does that too.
set -eu
cd "$(dirname "$0")/.."
which=$1
python=${PYTHON:-python3}
# an installer's own settings stay (where the index is, certificates, time-outs), save those that move the destination
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_NO_DEPS PYTHONPATH PYTHONHOME UV_SYSTEM_PYTHON || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

stop() {
    echo "set-up stopped: $1" >&2
    exit 2
}

# The programs that a machine may lack, as program:package. Root gets them installed, others are told their names.
programs() {
    missing=
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
    done
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        stop "missing:$missing   next: apt-get install$missing (as root)"
    fi
    echo "installing$missing"
    # shellcheck disable=SC2086  # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null; } ||
        stop "apt-get could not install$missing"
}

# What only some tests need: another implementation to compare with. Without it they are skipped, and say so.
peers() {
    missing=
    command -v go >/dev/null 2>&1 || missing="$missing golang-go"
    [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] || missing="$missing golang-golang-x-mod-dev"
    command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
    command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
    command -v bsdtar >/dev/null 2>&1 || missing="$missing libarchive-tools"
    for tool in cpio zip zstd bzip2; do
        command -v $tool >/dev/null 2>&1 || missing="$missing $tool"
    done
    command -v uscan >/dev/null 2>&1 || missing="$missing devscripts libwww-perl liblwp-protocol-https-perl"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing$missing"
        # shellcheck disable=SC2086  # a list of package names
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing; } >/dev/null 2>&1 ||
            echo "apt-get could not install$missing: the tests against them are skipped"
    else
        echo "the tests against$missing are skipped   to run them: apt-get install$missing (as root)"
    fi
}

command -v "$python" >/dev/null 2>&1 || stop "no $python here   next: apt-get install python3 python3-venv, or make PYTHON=..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$python" --version) is too old, 3.11 is needed   next: make PYTHON=python3.12 (or whichever is there)"
programs git:git gpg:gnupg gpgv:gpgv gpg-agent:gpg-agent ssh-keygen:openssh-client bwrap:bubblewrap
[ "$which" != dev ] || peers

[ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 ||
    "$python" -m venv --clear .venv || stop "$python could not make .venv   next: apt-get install python3-venv"
.venv/bin/python -m pip install -qq --require-hashes --requirement requirements/setup.txt

uv="env UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} VIRTUAL_ENV=$PWD/.venv .venv/bin/uv --quiet pip"
case $which in
    # the smaller set never takes away what the larger one brought
    run) brought() { $uv install --compile-bytecode --require-hashes --requirement requirements/run.txt; } ;;
    dev) brought() { $uv sync --compile-bytecode --require-hashes requirements/dev.txt; } ;;
    *) stop "usage: scripts/setup.sh run|dev" ;;
esac
brought 2>/dev/null || {
    echo "uv reached no index; pip will, if the machine says where one is"
    .venv/bin/python -m pip install -qq --require-hashes --requirement "requirements/$which.txt"
}
$uv install --no-deps --no-index --no-build-isolation --editable .

# Servers that tests start ask for versions of their own, so they have an environment of their own.
servers() {
    [ -x .venv/servers/bin/python ] || "$python" -m venv --clear --without-pip .venv/servers || return 1
    VIRTUAL_ENV=$PWD/.venv/servers .venv/bin/uv --quiet pip sync --require-hashes requirements/servers.txt 2>/dev/null ||
        .venv/bin/python -m pip --python .venv/servers/bin/python install -qq --require-hashes --requirement requirements/servers.txt
}
[ "$which" != dev ] || servers || echo "the servers of requirements/servers.txt cannot be had: the tests against them are skipped"

# Fuzzing needs a wheel that not every machine has.
[ "$which" != dev ] || $uv install --only-binary :all: --require-hashes --requirement requirements/fuzz.txt 2>/dev/null ||
    .venv/bin/python -m pip install -qq --only-binary :all: --require-hashes --requirement requirements/fuzz.txt 2>/dev/null ||
    echo "there is no atheris for this machine: the fuzzing is skipped"
