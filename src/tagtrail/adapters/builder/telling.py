"""What the installer of build environments is told of the caller's environment: what an installation needs, by name.

What is installed from source can read all of it, and has the network: nothing else of the caller's goes in, least of
all what publishes.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tagtrail.io.sandbox import Cell

__all__ = ["named", "told"]

_WAY = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
"""The way to the index."""
_INSTALLER = tuple(
    f"UV_{name}"
    for name in (
        # where packages are
        "DEFAULT_INDEX", "INDEX", "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "INDEX_STRATEGY", "OFFLINE",
        # which of them
        "BUILD_CONSTRAINT", "CONSTRAINT", "EXCLUDE", "EXCLUDE_NEWER", "FORK_STRATEGY", "MALWARE_CHECK",
        "MALWARE_CHECK_URL", "NO_BINARY", "NO_BINARY_PACKAGE", "NO_BUILD", "NO_BUILD_PACKAGE", "NO_SOURCES",
        "NO_SOURCES_PACKAGE", "NO_VERIFY_HASHES", "OVERRIDE", "PRERELEASE", "REQUIRE_HASHES", "RESOLUTION",
        "TORCH_BACKEND",
        # how they come
        "CONCURRENT_BUILDS", "CONCURRENT_DOWNLOADS", "CONCURRENT_INSTALLS", "HTTP_CONNECT_TIMEOUT", "HTTP_RETRIES",
        "HTTP_TIMEOUT", "INSECURE_HOST", "INSECURE_NO_ZIP_VALIDATION", "LOCK_TIMEOUT", "NATIVE_TLS", "NO_CACHE",
        "REQUEST_TIMEOUT", "SKIP_WHEEL_FILENAME_CHECK", "SYSTEM_CERTS",
        # where this and more is written
        "CACHE_DIR", "CONFIG_FILE", "NO_CONFIG", "NO_SYSTEM_CONFIG", "PREVIEW", "PREVIEW_FEATURES",
    )
)  # fmt: skip
_CREDENTIAL = re.compile(r"UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)")
"""Of an index that has a name."""
_OURS = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "PATH", "NETRC")
"""Without isolation, where the caller's files are to be seen."""
_PATHS = (
    "UV_FIND_LINKS", "UV_CONFIG_FILE", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""Those that name files or directories: they are shown to the installer, read-only."""


def told(environ: Mapping[str, str], cell: Cell) -> dict[str, str]:
    """The installer's whole environment in that cell, of the caller's `environ`."""
    names = {*_WAY, *_INSTALLER, *(_OURS if cell.kind == "none" else ())}
    kept = {name: value for name, value in environ.items() if name in names or _CREDENTIAL.fullmatch(name)}
    if cell.kind != "none":
        kept |= {"HOME": f"{cell.build}/home", "UV_CACHE_DIR": f"{cell.build}/cache"}
    # the authorities that this machine trusts, as pip and git do, unless the caller says otherwise
    return {
        "PATH": "/usr/bin:/bin",
        "UV_SYSTEM_CERTS": "1",
        **kept,
        "NO_COLOR": "1",
        "UV_NO_PROGRESS": "1",
        "LC_ALL": "C.UTF-8",
    }


def named(environ: Mapping[str, str]) -> Iterator[Path]:
    """The files and directories that it names."""
    for name in _PATHS:
        for path in map(Path, re.split("[ ,]", environ.get(name, ""))):
            if path.is_absolute() and path.exists():
                yield path
