"""Roots, policy and keys below /trail/."""

import pytest

from tagtrail.formats.allowed_signers import parse_allowed_signers
from tagtrail.formats.dsse import parse
from tagtrail.formats.root import Allowed, parse_root
from tagtrail.formats.site import format_site
from tagtrail.pages import all_paths, page
from tests.pages.trails import PGP, SITE, SSH, START, Trail, begun, root_file


def both(trail: Trail) -> Trail:
    trail.release("nova", "1.0")
    trail.release("nova", "2.0", signer=SSH.fingerprint)
    return trail


def test_roots_policy_site_and_release_key_are_the_logged_bytes() -> None:
    trail = begun()
    first = page("trail/1.root.json", trail.view)
    trail.key(signers={})
    view = trail.view
    assert page("trail/1.root.json", view) == first
    assert page("trail/root.json", view) == page("trail/2.root.json", view) == root_file(2, {})
    assert page("trail/policy", view) == parse_root(parse(first).payload).policy.encode()
    assert page("trail/site.json", view) == format_site(SITE)
    assert page("trail/keys/release-key.asc", view) == PGP.material.encode()


def test_ssh_keys_of_a_project() -> None:
    trail = both(begun())
    data = page("trail/keys/nova.allowed_signers", trail.view)
    (signer,) = parse_allowed_signers(data)
    assert (signer.principals, signer.key.fingerprint) == ("nova", parse_allowed_signers(data)[0].key.fingerprint)
    assert (signer.namespaces, signer.valid_after, signer.valid_before) == (("git",), START, None)
    assert b"# from entry 0\n" in data


def test_openpgp_certificates_of_a_project() -> None:
    data = page("trail/keys/nova.asc", both(begun()).view).decode()
    assert PGP.material in data
    assert f"{PGP.fingerprint}, from entry 0\n" in data


def test_keys_that_counted_once_stay_with_the_entries_they_counted_for() -> None:
    trail = both(begun())
    trail.key(signers={"nova": (Allowed(key=PGP.fingerprint, start=1, until=3), Allowed(key=SSH.fingerprint, start=3))})
    assert f"{PGP.fingerprint}, from entry 1 until before entry 3\n".encode() in page("trail/keys/nova.asc", trail.view)
    assert b"# from entry 3\n" in page("trail/keys/nova.allowed_signers", trail.view)


def test_a_project_that_no_root_knows_any_more_has_no_keys_but_its_page_stays() -> None:
    trail = both(begun())
    trail.key(signers={})
    assert parse_allowed_signers(page("trail/keys/nova.allowed_signers", trail.view)) == ()
    assert b"BEGIN" not in page("trail/keys/nova.asc", trail.view)


@pytest.mark.parametrize(("signer", "form"), [(PGP.fingerprint, "asc"), (SSH.fingerprint, "allowed_signers")])
def test_which_file_a_project_has_says_how_its_tags_are_signed(signer: str, form: str) -> None:
    trail = begun()
    trail.release("nova", "1.0", signer=signer)
    assert [p for p in all_paths(trail.view) if p.startswith("trail/keys/nova")] == [f"trail/keys/nova.{form}"]
    assert f'href="../../trail/keys/nova.{form}"' in page("nova/1.0/index.html", trail.view).decode()
