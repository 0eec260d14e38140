#!/bin/sh
# Writes requirements/*.txt from requirements/*.in: names, versions and hashes, for every platform, and nothing else.
# Arguments go to uv: none keeps the versions that stand, --upgrade moves them all, --upgrade-package NAME one.
set -eu
cd "$(dirname "$0")/.."
lock() {
    name=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "requirements/$name.in" --output-file "requirements/$name.txt" "$@"
}
lock dev "$@"
lock run --constraint requirements/dev.txt      # the smaller ones take their versions from the largest
lock setup --constraint requirements/dev.txt
lock fuzz --constraint requirements/dev.txt
lock servers "$@"                              # in an environment of its own
