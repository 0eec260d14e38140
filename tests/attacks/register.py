"""Which test stands for which phrase of the list of attacks (1-16, 19, 21-22, 27, 29-33), and what none stands for yet.

A row is a phrase, the reason codes with which it ends (none where nothing is refused: a state is asserted instead), and
the tests, as ROOM::FUNCTION below tests/. tests/attacks/test_register.py checks that they exist and name the codes.
"""

from dataclasses import dataclass

__all__ = ["GAPS", "ROWS", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One phrase of a line."""

    line: int
    phrase: str
    codes: str
    tests: str


FILES, TRAIL, NAMES = "attacks::", "attacks::", "attacks::"
KEYS, TRUST = "attacks::", "attacks::"
ARTIFACT = f"{FILES}test_an_artifact_is_what_was_released"
MIRROR = f"{FILES}test_a_signature_on_a_mirror_is_the_logged_one"
JUDGED = f"{FILES}test_a_signature_that_was_logged_is_judged"
LISTED = f"{FILES}test_a_list_on_a_mirror_is_the_logged_one"
FORMS = f"formats::test_other_forms_are_refused {LISTED}"
PROOF = f"{TRAIL}test_an_entry_and_its_proof"
HEAD = f"{TRAIL}test_a_checkpoint_signed_by_the_logs_own_key"
QUORUM = f"{TRAIL}test_a_quorum_is_not_stuffed"
TILES = f"{TRAIL}test_tiles_are_the_checkpoints"
SITE = f"{TRAIL}test_a_site_is_its_trail_and_nothing_else"
ROOTS = f"{KEYS}test_a_root_that_nobody_may_follow"
PLANTED = f"{TRUST}test_what_lies_there_grants_no_trust"
JSON = f"{TRUST}test_json_that_is_read_in_two_ways {TRUST}test_json_that_is_read_in_two_ways_in_a_root"
NEWEST = "app::"
AUDIT = "workflows::"

LAW = "workflows::test_law"
ROWS = (
    Row(1, "one byte of an artifact flipped", "digest-mismatch file-differs", ARTIFACT),
    Row(1, "truncated at a block boundary", "digest-mismatch file-differs", ARTIFACT),
    Row(1, "truncated to zero", "digest-mismatch file-differs", ARTIFACT),
    Row(1, "bytes appended after the gzip end", "digest-mismatch file-differs", ARTIFACT),
    Row(1, "bytes appended after the xz end", "digest-mismatch file-differs", ARTIFACT),
    Row(1, "a whole second stream", "digest-mismatch file-differs", ARTIFACT),
    Row(2, ".asc flipped", "sidecar-mismatch file-differs", MIRROR),
    Row(2, ".asc empty", "sidecar-mismatch file-differs asc-malformed", f"{MIRROR} {JUDGED}"),
    Row(2, ".asc stripped", "file-missing", f"{FILES}test_a_signature_that_was_stripped_is_missed_by_auditors_alone"),
    Row(2, ".asc clear-signed", "sidecar-mismatch asc-malformed", f"{MIRROR} {JUDGED}"),
    Row(2, ".asc with two signatures", "sidecar-mismatch asc-two-signatures", f"{MIRROR} {JUDGED}"),
    Row(
        2,
        ".asc by a subkey without back-signature",
        "asc-signature-bad",
        f"{FILES}test_a_subkey_without_back_signature_signs_no_file",
    ),
    Row(2, ".asc swapped with another file's", "sidecar-mismatch asc-signature-bad", f"{MIRROR} {JUDGED}"),
    Row(
        3,
        "an old artifact under a new version's name, with its own valid signature",
        "digest-mismatch sidecar-mismatch name-not-in-entry",
        f"{FILES}test_an_old_artifact_under_a_new_name {FILES}test_an_old_artifact_under_a_new_name_with_its_proof "
        f"{FILES}test_another_releases_whole_set_under_this_one",
    ),
    Row(4, "SHA256SUMS: a missing line", "sums-differ", f"{LISTED} {AUDIT}test_sums_that_do_not_list_the_files"),
    Row(4, "SHA256SUMS: an extra line", "sums-differ", f"{LISTED} {AUDIT}test_sums_that_do_not_list_the_files"),
    Row(4, "SHA256SUMS: ../ or absolute paths", "sums-form", FORMS),
    Row(4, "SHA256SUMS: the same name twice", "sums-order", FORMS),
    Row(4, "SHA256SUMS: CRLF", "sums-form", FORMS),
    Row(4, "SHA256SUMS: escaped names", "sums-digest", FORMS),
    Row(
        5,
        "sidecars stripped and the artifact replaced",
        "proof-missing unknown digest-mismatch",
        f"{FILES}test_sidecars_stripped_and_the_artifact_replaced {FILES}test_the_proof_kept_and_the_artifact_replaced",
    ),
    Row(
        5,
        "a mirror that lacks sidecars",
        "tag-missing file-missing tag-digest-mismatch",
        f"{FILES}test_what_is_required_comes_from_the_entry {FILES}test_an_auditor_misses_every_sidecar "
        f"{FILES}test_a_sidecar_is_not_taken_from_another_release",
    ),
    Row(6, ".tar.gz and .tar.xz with different contents, on a mirror", "digest-mismatch",
        f"{FILES}test_an_xz_of_other_content_than_the_gz"),
    Row(6, "wheel of another commit than the sdist, on a mirror", "digest-mismatch",
        f"{FILES}test_a_wheel_of_another_commit"),
    Row(7, "entry changed, proof intact", "proof-mismatch", PROOF),
    Row(7, "proof changed", "proof-mismatch",
        f"{PROOF} verify::test_no_byte_of_a_proof_can_be_flipped"),
    Row(7, "proof of another leaf", "proof-mismatch", PROOF),
    Row(7, "index off by one", "proof-mismatch index-range", PROOF),
    Row(7, "a hash too many or too few", "proof-length proof-hash-count", PROOF),
    Row(7, "proof size unlike the checkpoint's", "proof-length proof-mismatch", PROOF),
    Row(
        7,
        "a 65-byte entry that looks like an inner node",
        "json-utf8",
        f"{PROOF} {TRAIL}test_an_entry_that_looks_like_an_inner_node_has_another_hash "
        "formats::test_an_entry_that_looks_like_an_inner_node_is_no_node",
    ),
    Row(8, "wrong origin under the right key", "checkpoint-origin-mismatch", HEAD),
    Row(8, "leading zero in the size", "checkpoint-size", HEAD),
    Row(8, "sign in the size", "checkpoint-size", HEAD),
    Row(8, "space in the size", "checkpoint-size", HEAD),
    Row(8, "underscore in the size", "checkpoint-size", HEAD),
    Row(8, "non-ASCII digits in the size", "checkpoint-size", HEAD),
    Row(8, "non-canonical base64", "checkpoint-root", HEAD),
    Row(8, "31-byte root", "checkpoint-root-size", HEAD),
    Row(8, "CRLF", "note-crlf", HEAD),
    Row(8, "no final newline", "note-no-newline", HEAD),
    Row(8, "U+2028", "checkpoint-separator checkpoint-lines", HEAD),
    Row(8, "duplicate signature lines", "note-duplicate-signature", HEAD),
    Row(8, "known name with wrong key id", "note-no-known-key", HEAD),
    Row(9, "one witness key under two names", "quorum-unmet",
        f"{QUORUM} formats::test_one_key_under_two_names_counts_once"),
    Row(9, "one witness's line twice", "note-duplicate-signature",
        f"{QUORUM} formats::test_one_witness_twice_is_refused"),
    Row(9, "a cosignature from the future", "cosignature-future",
        "verify::test_a_cosignature_from_the_future_is_refused "
        "formats::test_a_cosignature_from_the_future"),
    Row(9, "a stale cosignature", "checkpoint-stale",
        "verify::test_an_age_is_of_the_last_cosignature_and_the_last_second_counts "
        f"verify::test_what_the_log_or_its_witnesses_did_not_sign_is_refused "
        f"{NEWEST}test_an_age_is_of_the_cosignatures"),
    Row(9, "a cosignature of an older tree", "note-bad-signature", f"{TRAIL}test_a_cosignature_is_of_this_checkpoint"),
    Row(10, "rollback with remembered state", "checkpoint-rollback",
        f"{NEWEST}test_a_smaller_checkpoint_is_a_rollback"),
    Row(10, "freeze: an old checkpoint, without remembered state", "checkpoint-stale checkpoint-age-unknown",
        f"{NEWEST}test_an_age_is_of_the_cosignatures {NEWEST}test_an_age_needs_witnesses"),
    Row(10, "an old proof beside an old file stays fine", "",
        f"{NEWEST}test_an_old_proof_beside_an_old_file_stays_fine"),
    Row(10, "split view: two roots of one size", "split-view",
        f"{NEWEST}test_two_trees_of_one_size_are_a_split_view_and_both_are_kept "
        f"{AUDIT}test_a_proof_of_a_tree_that_was_never_the_logs"),
    Row(10, "split view: two forks", "", f"{NEWEST}test_a_longer_fork_is_caught_by_its_tiles"),
    Row(10, "split view between two proofs", "split-view",
        f"{NEWEST}test_two_proofs_of_one_run_may_not_contradict_each_other"),
    Row(11, "missing tiles", "tile-missing", TILES),
    Row(11, "garbled tiles", "tile-root tile-differs", TILES),
    Row(11, "partial tiles", "tile-size", TILES),
    Row(11, "an entry bundle that disagrees with the hash tile", "bundle-mismatch", TILES),
    Row(11, "full tile missing while the partial stands", "tile-missing",
        f"{AUDIT}test_full_tiles formats::test_a_full_tile_is_missing_while_its_partial_one_stands"),
    Row(12, "kill -9 between tile, checkpoint, cosignature and publish, at every point", "",
        "workflows::test_it_dies_and_is_run_again "
        "workflows::test_killed_at_any_point "
        "app::test_killed_at_thirty_random_moments_it_is_one_release"),
    Row(12, "a restored back-up", "", "app::test_a_restored_back_up_signs_nothing "
        "trail::test_an_older_copy_may_not_sign"),
    Row(12, "a copied HOME", "", "workflows::test_a_copy_of_the_instance_is_stopped_by_one_witness "
        "trail::test_a_forked_copy_may_not_sign"),
    Row(12, "a writer stopped and continued", "",
        "trail::test_a_writer_that_was_paused_before_its_transaction_has_lost "
        "trail::test_a_writer_that_is_paused_within_its_transaction_keeps_others_out "
        "trail::test_who_saw_an_older_trail_must_look_again "
        "workflows::test_a_slow_writer_does_not_leave_an_older_page_over_a_newer_one "
        "workflows::test_a_smaller_checkpoint_is_never_shown_last"),
    Row(12, "a kept blob or sidecar altered on disk between build and publish", "",
        f"{TRAIL}test_bytes_altered_between_build_and_publish_never_arrive "
        "app::test_kept_bytes_altered_on_disk_are_never_published "
        "app::test_kept_bytes_altered_before_the_log_are_never_signed"),
    Row(13, "a file on the site without entry", "file-unknown unknown",
        f"{SITE} {TRAIL}test_a_file_that_no_entry_names_is_unknown_to_a_consumer"),
    Row(13, "an entry without file", "file-missing", SITE),
    Row(13, "index, site and another place disagreeing about one name", "index-differs page-differs",
        f"{SITE} workflows::test_other_bytes_at_a_public_address_are_a_conflict "
        "workflows::test_one_thing_at_a_time"),
    Row(14, "an entry over 65,535 bytes", "json-size", f"{TRAIL}test_an_entry_beyond_a_leaf"),
    Row(14, "a release with more files than one entry holds", "entry-too-large",
        f"{TRAIL}test_more_files_than_an_entry_holds"),
    Row(15, "the same release twice", "", f"{NAMES}test_the_same_release_twice_is_one_entry"),
    Row(15, "the same request twice", "", f"{NAMES}test_the_same_request_twice_is_one_entry "
        "workflows::test_the_same_release_by_many"),
    Row(15, "two concurrent releases of one name with different bytes", "version-taken",
        "workflows::test_one_name_with_different_bytes_at_one_time "
        "workflows::test_one_release_with_different_bytes"),
    Row(16, "the same name again with other bytes after a withdrawal",
        "name-taken version-taken version-withdrawn name-twice withdrawn-used",
        f"{NAMES}test_a_name_that_was_withdrawn_never_means_other_bytes "
        f"{NAMES}test_a_version_that_was_withdrawn_is_never_released_again "
        f"{NAMES}test_an_auditor_sees_an_operator_who_does_it_all_the_same "
        f"{NAMES}test_an_auditor_sees_a_withdrawn_version_released_again "
        "workflows::test_it_is_not_released_again workflows::test_no_draft_of_it_enters_the_trail"),
    Row(16, "under Nova_x and nova-x, 1.0 and 1.0.0, .tar.gz and .tgz", "name-taken version-taken",
        f"{NAMES}test_a_name_that_was_withdrawn_never_means_other_bytes "
        f"{NAMES}test_a_version_that_was_withdrawn_is_never_released_again"),
    Row(21, "a new root signed only by new keys", "root-old-signatures", ROOTS),
    Row(21, "below the old threshold", "root-old-signatures", ROOTS),
    Row(21, "a version skipped or repeated", "root-version", ROOTS),
    Row(21, "an expired root", "root-expired", ROOTS),
    Row(21, "a rollback", "root-version", f"{ROOTS} app::test_an_older_root_is_a_rollback"),
    Row(22, "the log's key stolen: proofs under exactly the frozen tree", "frozen",
        f"{KEYS}test_under_a_freeze_one_tree_counts {KEYS}test_proofs_under_the_frozen_tree_stay_good"),
    Row(22, "a forged leaf at a small index in a forked tree", "frozen", f"{KEYS}test_under_a_freeze_one_tree_counts"),
    Row(22, "the builder's key stolen", "provenance-signature key-not-in-root",
        f"{KEYS}test_a_stolen_builder_key_is_worth_nothing_once_the_root_drops_it "
        f"{KEYS}test_a_builder_key_that_was_exchanged_in_secret_releases_nothing"),
    Row(22, "the log's key lost", "", "drills::test_a_lost_log_key_is_replaced_and_believed_for_what_it_signed"),
    Row(22, "the log's key stolen: drill", "frozen", "drills::test_a_stolen_log_key_forges_nothing_for_whoever_follows "
        "drills::test_a_stolen_log_key_under_witnesses"),
    Row(22, "the OpenPGP key lost", "", "drills::test_a_lost_release_key_stays_good_for_what_it_signed"),
    Row(22, "the OpenPGP key stolen", "", "drills::test_a_stolen_release_key_signs_nothing_that_counts "
        "drills::test_an_old_signature_made_after_the_theft_counts_for_no_later_entry"),
    Row(22, "the builder's key lost", "", "drills::test_a_builder_key_is_replaced"),
    Row(22, "the builder's key stolen: drill", "", "drills::test_a_forged_provenance_is_found"),
    Row(22, "a witness key lost", "", "drills::test_a_lost_witness_is_replaced"),
    Row(22, "a witness key stolen", "", "drills::test_stolen_witness_keys_forge_nothing_for_whoever_follows"),
    Row(22, "after log-key theft old proofs are re-issued against exactly that root", "",
        "drills::test_a_stolen_log_key_forges_nothing_for_whoever_follows "
        "drills::test_a_second_theft_freezes_anew_and_older_files_stay_good"),
    Row(30, "policy, root or allowed_signers beside the file or under /trail/", "unpinned",
        f"{PLANTED} app::test_nothing_beside_the_file_grants_trust"),
    Row(30, "a key entry", "root-old-signatures",
        f"{TRUST}test_a_root_that_a_key_entry_names_is_not_trusted_for_that"),
    Row(30, "a tagtrail.toml planted in a parent directory", "unpinned",
        f"{PLANTED} app::test_a_planted_instance_is_not_used"),
    Row(30, "a tagtrail.toml planted in a tarball or a checkout", "home-not-ours",
        "app::test_planted_in_a_tarball_or_a_checkout"),
    Row(30, "a tagtrail.toml owned by another user", "home-not-ours", "app::test_somebody_elses"),
    Row(30, "cmd: in settings that were only discovered", "unpinned", PLANTED),
    Row(31, "a tag object of another repository that carries the right name",
        "tag-signer-unknown objects-missing name-declared tag-digest-mismatch",
        f"{TRUST}test_anothers_tag_object_that_carries_the_right_name "
        f"{TRUST}test_anothers_tag_object_of_a_signer_of_ours {TRUST}test_anothers_tag_object_with_its_commit "
        f"{TRUST}test_another_repositorys_tag_on_a_mirror"),
    Row(31, "a signer who was allowed before or after that index, or for another project",
        "signer-not-allowed tag-signer-unknown",
        "verify::test_who_may_sign_goes_by_project_and_index "
        f"{TRUST}test_a_signer_of_one_project_signs_anothers_tag"),
    Row(32, "a second digest for one victim", "name-twice split-view",
        f"{TRUST}test_a_second_digest_for_one_victim {AUDIT}test_a_second_digest_under_one_name "
        f"{AUDIT}test_a_proof_of_a_tree_that_was_never_the_logs"),
    Row(32, "backdated time", "time-backdated time-impossible",
        "workflows::test_an_entry_that_says_it_is_older_than_a_tree_without_it "
        "verify::test_a_time_after_it_was_witnessed_is_impossible"),
    Row(32, "decreasing time", "time-decreased", f"{AUDIT}test_time_that_runs_backwards"),
    Row(32, "a hidden release", "file-missing page-missing",
        f"{TRUST}test_a_hidden_release workflows::test_a_hidden_release"),
    Row(32, "a file added by a stolen upload token years later", "file-unknown added-unapproved",
        f"{TRUST}test_a_file_added_years_later_with_a_stolen_token "
        "workflows::test_a_file_added_years_later_with_a_stolen_upload_token"),
    Row(32, "imported history passed off as witnessed", "imported",
        f"{TRUST}test_imported_history_passed_off_as_released "
        f"{TRUST}test_a_file_that_was_brought_is_never_called_built"),
    Row(33, "reserved project names", "entry-project", f"{TRUST}test_a_projects_name_that_the_site_needs"),
    Row(33, "artifacts named like pages, versions or sidecars", "file-name-free",
        "rules::test_names_of_the_site rules::test_one_file_wrong "
        f"{TRUST}test_an_artifact_that_is_called_like_a_sidecar_is_not_released"),
    Row(33, "hostile HTML or SVG among the artifacts", "file-name-free", "rules::test_one_file_wrong"),
    Row(33, "duplicate JSON keys", "json-duplicate-key", JSON),
    Row(33, "NaN", "json-nan", JSON),
    Row(33, "lone surrogates", "json-surrogate", JSON),
    Row(33, "10,000 levels", "json-depth", JSON),
    Row(33, "integers beyond 2^53", "json-integer", JSON),
    Row(33, "small-order Ed25519 keys in policy or root", "key-small-order root-policy",
        f"{TRUST}test_a_small_order_key_in_a_root_or_a_policy"),
    Row(6, "archives of one release that do not agree, logged by their operator", "tar-differs", LAW),
    Row(10, "a site rolled back beside a proof of a larger tree", "rolled-back",
        "workflows::test_a_site_rolled_back_beside_a_proof_of_a_larger_tree"),
    Row(13, "a .tlog-proof without its file, in a directory", "unknown", "app::test_a_proof_without_its_file"),
    Row(31, "one tag object under two repositories", "tag-twice", LAW),
    Row(31, "an old tag under a new version", "tag-version",
        f"verify::test_a_tag_that_the_entry_does_not_mean_is_refused {LAW}"),
    Row(33, "a file named after another project or version, logged", "file-name-agrees file-version-agrees", LAW),
    Row(6, "wheel unlike sdist, built or brought here", "files-agree",
        "rules::test_sdist_and_wheel_are_one_release rules::test_an_old_wheel_excuses_no_sdist"),
    Row(19, "project A's signer signs project B's tag", "tag-signer-unknown",
        f"{TRUST}test_a_signer_of_one_project_signs_anothers_tag"),
    Row(19, "version in the sdist unlike the tag", "version-mismatch file-version-agrees",
        "app::test_one_wrong_thing_is_refused_and_leaves_nothing rules::test_one_file_wrong"),
    Row(19, "two tags of one version", "one-tag-per-version", "app::test_one_thing_wrong rules::test_one_thing_wrong"),
    Row(19, "lifecycle tags", "tag-lifecycle",
        "app::test_what_is_wrong_for_everybody app::test_what_is_no_version_is_refused"),
    Row(27, "reStructuredText that includes files", "description-renders",
        "adapters::test_what_an_index_refuses_is_told_with_its_line "
        "adapters::test_no_settings_of_docutils_switch_files_on_again rules::test_what_an_index_refuses"),
    Row(27, "raw HTML in a description or in notes", "description-renders",
        "adapters::test_what_an_index_refuses_is_told_with_its_line rules::test_what_an_index_refuses "
        "pages::test_html_holds_only_our_own_tags"),
    Row(27, "javascript: in links", "links",
        "rules::test_what_an_index_refuses pages::test_html_holds_only_our_own_tags"),
    Row(26, "an index that loses the reply, answers errors, is slow, hangs, lies, is ten minutes late", "",
        "adapters::test_one_copy_with_our_digest adapters::test_a_lying_page_is_a_conflict "
        "adapters::test_other_bytes_are_a_conflict_and_stay"),
    Row(26, "a tracker that does", "", "adapters/trackers::test_one_release_whatever_goes_wrong "
        "adapters/trackers::test_one_of_each_whatever_goes_wrong"),
    Row(26, "a channel that does", "", "adapters/channels::test_blind_never_two_never_none "
        "adapters/channels::test_with_an_archive_exactly_one adapters/channels::test_a_webhook_is_told_once"),
    Row(27, "header injection in a mail", "", "formats::test_no_header_can_be_smuggled_in"),
    Row(27, "links in messages that the trail does not back", "",
        "pages::test_links_are_ours_or_seen pages::test_an_address_of_a_place_that_is_none_is_no_link"),
    Row(28, "no secret configured, a wrong one, an old one, none that can be guessed",
        "hint-off hint-signature hint-secret", "app::test_refused app::test_a_secret_that_can_be_guessed_is_none"),
    Row(28, "oversized", "hint-size", "app::test_the_size_is_judged_before_anything_is_read"),
    Row(28, "replayed", "", "app::test_a_replay_is_no_second_hint_not_even_after_it_was_answered"),
    Row(28, "non-UTF-8, deeply nested JSON", "hint-form", "app::test_refused"),
    Row(28, "addresses in payloads", "", "app::test_a_repository_by_its_other_addresses"),
    Row(27, "tag message, project name, version or notes in HTML and feeds", "",
        "pages::test_html_holds_only_our_own_tags pages::test_feeds_are_xml_and_tables_are_json "
        "pages::test_no_page_holds_control_characters_or_turns_text_round"),
    Row(29, "unknown keys and wrong types", "settings",
        "formats::test_one_thing_wrong app::test_one_wrong_thing_is_refused_and_leaves_nothing"),
    Row(29, "a project that tries to change where it is published", "own-settings",
        "app::test_one_thing_wrong rules::test_one_thing_wrong"),
    Row(29, "secrets in clear", "", "formats::test_one_thing_wrong formats::test_what_is_wrong_with_a_bucket"),
    Row(31, "a commit outside the configured branches", "on-a-branch", "rules::test_one_thing_wrong"),
)  # fmt: skip

GAPS = {
    "6: FILE.metadata unlike the metadata in the archive, logged by its operator": "nobody opens the archives",
    "29: cyclic trains": "there are no trains yet",
}
"""What nothing stands for yet, and why: each was tried, and got through."""
