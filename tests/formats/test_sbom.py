"""SBOMs: valid to the library's own validator, the same bytes from the same facts, and honest about what they cover."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tagtrail.formats.sbom import COVERS, check_own, format_sbom, sbom_name
from tagtrail.model.errors import ProjectError

METADATA = b"""\
Metadata-Version: 2.4
Name: nova
Version: 33.0.0
Summary: Cloud computing fabric controller
License-Expression: Apache-2.0
Requires-Dist: pbr>=6.0
Requires-Dist: Oslo.Config>=9; python_version >= "3.11"
Requires-Dist: oslo_config[x]; extra == "more"
Requires-Dist: tooz; extra == "more"

Text.
"""
PURL = "pkg:pypi/nova@33.0.0?repository_url=https://releases.example.org/simple/"
FILES = (("nova-33.0.0.tar.gz", "1" * 64), ("nova-33.0.0-py3-none-any.whl", "2" * 64))
EPOCH = 1_775_055_600


def made(metadata: bytes = METADATA, **changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"purl": PURL, "files": FILES, "epoch": EPOCH} | changes
    found: dict[str, Any] = json.loads(format_sbom(metadata, **said))
    return found


def test_name() -> None:
    assert sbom_name("nova", "33.0.0") == "nova-33.0.0.cdx.json"


@pytest.mark.slow  # the validator is
@pytest.mark.parametrize("metadata", [METADATA, b"Metadata-Version: 2.1\nName: a\nVersion: 1\n"], ids=["full", "bare"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the validator imports
def test_valid(metadata: bytes) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    data = format_sbom(metadata, purl=PURL, files=FILES, epoch=EPOCH).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(data) is None


def test_what_it_says() -> None:
    found = made()
    main = found["metadata"]["component"]
    assert (main["name"], main["version"], main["purl"]) == ("nova", "33.0.0", PURL)
    assert main["licenses"] == [{"expression": "Apache-2.0"}]
    references = [(r["url"], r["hashes"][0]["content"]) for r in main["externalReferences"]]
    assert sorted(references) == sorted(FILES)
    assert found["metadata"]["timestamp"] == "2026-04-01T15:00:00+00:00"
    needed = {c["name"]: (c["scope"], [p["value"] for p in c["properties"]]) for c in found["components"]}
    assert needed == {
        "oslo-config": ("required", ['Oslo.Config>=9; python_version >= "3.11"', 'oslo_config[x]; extra == "more"']),
        "pbr": ("required", ["pbr>=6.0"]),
        "tooz": ("optional", ['tooz; extra == "more"']),
    }
    assert all("version" not in c for c in found["components"])
    depends = next(d["dependsOn"] for d in found["dependencies"] if d["ref"] == PURL)
    assert depends == ["pkg:pypi/oslo-config", "pkg:pypi/pbr", "pkg:pypi/tooz"]


@pytest.mark.parametrize(
    ("url", "purl", "said"),
    [
        ("https://user:pw@h.example/x.whl", "?download_url=https://h.example/x.whl", "https://h.example/x.whl"),
        ("https://token@h.example/x@1.whl", "?download_url=https://h.example/x%401.whl", "https://h.example/x@1.whl"),
        ("https://a@b:c@h.example", "?download_url=https://h.example", "https://h.example"),
        ("git+ssh://u:pw@h.example/x@v1", "?vcs_url=git%2Bssh://h.example/x%40v1", "git+ssh://h.example/x@v1"),
        (
            "https://h.example/x.whl?q=a@b",
            "?download_url=https://h.example/x.whl?q%3Da%40b",
            "https://h.example/x.whl?q=a@b",
        ),
    ],
)
def test_a_requirement_with_an_address_is_no_project_of_the_index(url: str, purl: str, said: str) -> None:
    found = made(METADATA.replace(b"pbr>=6.0", f"pbr @ {url}".encode()))
    needed = next(c for c in found["components"] if c["name"] == "pbr")
    assert needed["purl"].replace("%3F", "?").replace("%3A", ":") == f"pkg:pypi/pbr{purl}"
    assert [p["value"] for p in needed["properties"]] == [f"pbr @ {said}"]
    assert needed["bom-ref"] in next(d["dependsOn"] for d in found["dependencies"] if d["ref"] == PURL)


def test_it_says_what_it_covers() -> None:
    assert made()["metadata"]["properties"] == [{"name": "tagtrail:covers", "value": COVERS}]


def test_the_same_bytes_in_another_process_and_order() -> None:
    script = (
        "import sys; from tests.formats.test_sbom import *; "
        "sys.stdout.buffer.write(format_sbom(METADATA, purl=PURL, files=FILES[::-1], epoch=EPOCH))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    )
    assert other.stdout == format_sbom(METADATA, purl=PURL, files=FILES, epoch=EPOCH)


@pytest.mark.parametrize(
    "changes", [{"files": FILES[:1]}, {"files": (FILES[0], (FILES[1][0], "3" * 64))}, {"purl": "pkg:pypi/nova@33.0.1"}]
)
def test_another_release_has_another_serial_number(changes: dict[str, Any]) -> None:
    assert made(**changes)["serialNumber"] != made()["serialNumber"]


def test_the_serial_number_is_a_uuid_of_ones_own_making() -> None:
    number = made()["serialNumber"].removeprefix("urn:uuid:")
    assert number[14] == "8"
    assert number[19] in "89ab"


@pytest.mark.parametrize("metadata", [METADATA.replace(b"pbr>=6.0", b"pbr >>> 6"), b"\xff"])
def test_metadata_that_cannot_be_read(metadata: bytes) -> None:
    with pytest.raises(ProjectError) as caught:
        made(metadata)
    assert caught.value.code == "metadata-invalid"


def test_a_projects_own() -> None:
    for version in (b"1.2", b"1.4", b"1.6", b"1.10", b"2.0"):
        check_own(b'{"bomFormat": "CycloneDX", "specVersion": "%s", "components": [0.5]}' % version, "sbom.json")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b"[" * 20_000, b'{"bomFormat": "SPDX", "specVersion": "1.4"}',
        b'{"bomFormat": "CycloneDX", "specVersion": "1.1"}', b'{"bomFormat": "CycloneDX", "specVersion": 1.6}',
        b'{"bomFormat": "CycloneDX", "specVersion": "zzz; not a version"}',
        b'{"bomFormat": "CycloneDX", "specVersion": "1.6\\n"}', b'{"bomFormat": "CycloneDX", "specVersion": "01.6"}',
        b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": NaN}',
        b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": 1e999}',
        b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": 1, "x": 1}',
        '{"bomFormat": "CycloneDX", "specVersion": "1.6"}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_sbom(data: bytes) -> None:
    with pytest.raises(ProjectError) as caught:
        check_own(data, "sbom.json")
    assert caught.value.code == "sbom-form"
