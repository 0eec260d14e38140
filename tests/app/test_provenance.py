"""The provenance of a real build, as other people's verifiers read it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]
from uv import find_uv_bin

from tagtrail.formats import entry
from tagtrail.formats.note import parse_vkey
from tagtrail.formats.root import Root
from tagtrail.verify.provenance import judge_provenance
from tagtrail.verify.roots import open_root
from tests.app.world import World

pytestmark = pytest.mark.client
NAME = "toy-1.0.0.intoto.jsonl"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world")).make()
    made.tag("1.0.0")
    assert made.tell("release", "toy", "1.0.0").code == 0
    yield made
    made.remove()


@pytest.fixture(scope="module")
def data(world: World) -> bytes:
    return (world.site / "toy" / NAME).read_bytes()


@pytest.fixture(scope="module")
def root(world: World) -> Root:
    return open_root((world.site / "trail" / "root.json").read_bytes())


def test_it_holds(world: World, data: bytes, root: Root) -> None:
    raw = json.dumps(world.leaves()[1], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    said = judge_provenance(data, entry.parse(1, raw), root)
    assert (said.commit, said.object) == (world.git("rev-parse", "HEAD"), world.git("rev-parse", "refs/tags/1.0.0"))
    assert [name for name, _ in said.files] == ["toy-1.0.0-py3-none-any.whl", "toy-1.0.0.tar.gz"]
    assert said.started <= said.finished


def test_it_names_no_path_and_nobody(world: World, data: bytes) -> None:
    payload = Envelope.from_dict(json.loads(data)).payload.decode()
    assert "local:toy" in payload
    assert str(world.root) not in payload
    assert "example.org/trail/builder" in payload
    assert "@example.org" not in payload.replace("local:toy@", "")


def test_securesystemslib_verifies_it(data: bytes, root: Root) -> None:
    envelope = Envelope.from_dict(json.loads(data))
    (builder,) = (parse_vkey(vkey) for vkey in root.builders)
    key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(builder.key), builder.key_id.hex())
    assert set(envelope.verify([key], 1)) == {key.keyid}
    envelope.payload = envelope.payload.replace(b'"isolation"', b'"isolatioN"')
    with pytest.raises(VerificationError):
        envelope.verify([key], 1)


IN_TOTO = """
import base64, json, sys
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2

statement = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))
Statement.copy_from_pb(ParseDict(statement, statement_pb2.Statement())).validate()
predicate = ParseDict(statement["predicate"], Provenance())
for descriptor in (*predicate.build_definition.resolved_dependencies, *predicate.run_details.byproducts):
    ResourceDescriptor.copy_from_pb(descriptor).validate()
print(predicate.build_definition.build_type, predicate.run_details.builder.id)
"""


@pytest.mark.index
def test_in_toto_attestation_validates_it(world: World, tmp_path: Path) -> None:
    script = tmp_path / "validate.py"
    script.write_text(IN_TOTO)
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    argv = [find_uv_bin(), "run", "--quiet", "--no-project", "--with", "in-toto-attestation", "python", str(script)]
    done = subprocess.run([*argv, str(world.site / "toy" / NAME)], capture_output=True, text=True, check=False, env=env)
    assert done.stdout == "https://tagtrail.dev/build/v1 https://example.org/trail/builder\n", done.stderr


def test_an_instance_without_its_key_stops(world: World) -> None:
    key = world.home / "private" / "builder.key"
    away = key.rename(key.with_name("away"))
    ended = world.tell("release", "toy", "1.0.0")
    away.rename(key)
    assert (ended.code, ended.event("refused")["code"]) == (2, "key-missing")
