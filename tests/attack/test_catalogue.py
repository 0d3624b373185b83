"""What becomes of every number in HARDENING.md: the bugs that others had, and how each is kept from coming back here.

A number is either held by a test that cites it, or it is a habit that is written down, or it concerns something that
tuffet does not have (yet), and then the reason stands here. Nothing may be in two of these tables, or in none.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
COUNT: Final = 134

TESTED: Final = {
    "B001": "tests/keys/test_key_files.py::test_the_file_is_private_without_any_umask",
    "B002": "tests/client/test_downloads.py::test_a_file_that_is_there_already_is_not_asked_for",
    "B003": "tests/attack/test_hardening_documents.py::test_documents_made_to_hurt_a_parser",
    "B005": "tests/storage/test_crashes.py::test_write_atomic_dies_at_every_step",
    "B007": "tests/metadata/test_tuf_json.py::test_a_name_that_comes_twice_is_refused",
    "B008": "tests/attack/test_rollback.py::test_a_root_that_is_not_exactly_the_next_one",
    "B009": "tests/attack/test_hardening_clients.py::test_what_dead_clients_left_behind_is_swept",
    "B010": "tests/attack/test_hardening_clients.py::test_no_algorithm_is_the_only_one",
    "B012": "tests/attack/test_hardening_documents.py::test_a_thousand_junk_signatures",
    "B013": "tests/trust/test_thresholds.py::test_thresholds",
    "B014": "tests/trust/test_roots.py::test_the_pinned_root_vouches_for_itself",
    "B015": "tests/trust/test_roots.py::test_rotations",
    "B016": "tests/attack/test_hostile_names.py::test_a_role_by_any_name",
    "B017": "tests/client/test_cache.py::test_no_role_name_leads_anywhere_else",
    "B018": "tests/metadata/test_paths.py::test_patterns",
    "B019": "tests/client/test_attacks.py::test_a_rejected_timestamp_is_not_kept",
    "B020": "tests/attack/test_hostile_graphs.py::test_a_role_is_judged_by_whoever_sent_us_there",
    "B021": "tests/transport/test_http.py::test_every_answer_cut_short_is_a_broken_connection",
    "B022": "tests/attack/test_hardening_clients.py::test_the_cache_holds_no_links",
    "B023": "tests/attack/test_hardening_clients.py::test_one_key_under_two_ids",
    "B024": "tests/metadata/test_dsse.py::test_lengths_count_bytes",
    "B025": "tests/keys/test_signers.py::test_the_halves_of_two_keys_are_refused",
    "B027": "tests/metadata/test_public_keys.py::test_ml_dsa_signs_a_digest_with_a_prefix",
    "B036": "tests/keys/test_key_files.py::test_an_unencrypted_file_asks_for_none",
    "B040": "tests/attack/test_hardening_repositories.py::test_the_server_talks_about_files_only",
    "B041": "tests/attack/test_hardening_documents.py::test_a_signature_never_says_how_it_is_to_be_checked",
    "B042": "tests/attack/test_indefinite_freeze.py::test_an_expired_root_at_the_end_of_the_chain",
    "B043": "tests/attack/test_fast_forward.py::test_a_version_beyond_what_can_be_counted",
    "B046": "tests/attack/test_hardening_repositories.py::test_no_secret_is_an_argument",
    "B047": "tests/client/test_cache.py::test_others_may_not_even_look",
    "B048": "tests/attack/test_hardening_clients.py::test_nothing_is_asked_of_a_server_without_tls",
    "B049": "tests/attack/test_arbitrary_software.py::test_every_listed_hash_decides",
    "B050": "tests/trust/test_roots.py::test_rotations",
    "B051": "tests/metadata/test_tuf_json.py::test_unknown_fields_around_the_signed_part_survive",
    "B052": "tests/attack/test_fast_forward.py::test_a_version_beyond_what_can_be_counted",
    "B053": "tests/attack/test_key_compromise.py::test_stolen_online_keys_install_nothing",
    "B056": "tests/attack/test_endless_data.py::test_metadata_that_never_ends",
    "B058": "tests/attack/test_hardening_clients.py::test_a_cache_is_no_second_opinion",
    "B059": "tests/attack/test_arbitrary_software.py::test_a_file_that_is_not_the_listed_one",
    "B060": "tests/storage/test_disk.py::test_a_step_fails",
    "B061": "tests/client/test_cache.py::test_a_cache_that_anybody_may_write_to",
    "B062": "tests/attack/test_hardening_documents.py::test_anything_in_the_place_of_anything",
    "B063": "tests/keys/test_key_files.py::test_an_empty_passphrase_is_none",
    "B064": "tests/repository/test_tampering.py::test_a_published_document_is_changed",
    "B068": "tests/attack/test_hardening_repositories.py::test_a_new_root_survives_the_loss_and_the_theft_of_a_key",
    "B079": "tests/attack/test_hardening_repositories.py::test_the_server_talks_about_files_only",
    "B080": "tests/attack/test_rollback.py::test_older_metadata",
    "B081": "tests/attack/test_hardening_clients.py::test_one_key_under_two_ids",
    "B082": "tests/trust/test_listing.py::test_listing_and_finding_agree",
    "B083": "tests/trust/test_damage.py::test_no_damage_is_believed",
    "B084": "tests/attack/test_hardening_documents.py::test_a_threshold_that_nobody_has_to_meet",
    "B086": "tests/trust/test_thresholds.py::test_thresholds",
    "B087": "tests/metadata/test_bounds.py::test_hashes_that_cannot_be_checked_are_no_hashes",
    "B088": "tests/attack/test_hardening_documents.py::test_anything_in_the_place_of_anything",
    "B089": "tests/metadata/test_public_keys.py::test_a_key_that_cannot_be_read_never_counts_and_never_raises",
    "B090": "tests/attack/test_hostile_graphs.py::test_four_thousand_million_bins",
    "B091": "tests/metadata/test_paths.py::test_patterns",
    "B092": "tests/attack/test_mix_and_match.py::test_a_delegated_role_that_the_snapshot_does_not_list",
    "B093": "tests/metadata/test_public_keys.py::test_both_salts_of_pss_are_good",
    "B094": "tests/metadata/test_public_keys.py::test_the_reference_implementation_refuses_what_we_refuse",
    "B095": "tests/client/test_cache.py::test_others_may_not_even_look",
    "B097": "tests/attack/test_hostile_servers.py::test_a_mirror_that_misbehaves",
    "B098": "tests/trust/test_thresholds.py::test_thresholds",
    "B099": "tests/client/test_downloads.py::test_a_path_that_is_no_file_name",
    "B100": "tests/attack/test_rollback.py::test_a_root_that_is_not_exactly_the_next_one",
    "B101": "tests/attack/test_wrong_software.py::test_a_terminating_delegation_ends_the_search",
    "B102": "tests/attack/test_mix_and_match.py::test_a_delegated_role_of_another_day",
    "B103": "tests/attack/test_indefinite_freeze.py::test_a_newcomer_is_shown_what_has_expired",
    "B104": "tests/attack/test_key_compromise.py::test_one_key_of_two",
    "B105": "tests/attack/test_mix_and_match.py::test_a_delegated_role_of_another_day",
    "B106": "tests/client/test_downloads.py::test_a_link_where_a_folder_belongs",
    "B107": "tests/attack/test_indefinite_freeze.py::test_time_stands_still_during_an_update",
    "B108": "tests/attack/test_hostile_graphs.py::test_a_role_is_judged_by_whoever_sent_us_there",
    "B109": "tests/attack/test_hostile_graphs.py::test_a_role_is_judged_by_whoever_sent_us_there",
    "B110": "tests/attack/test_indefinite_freeze.py::test_an_expired_root_that_leads_to_a_fresh_one",
    "B111": "tests/attack/test_rollback.py::test_an_invalid_root_is_not_the_end_of_the_chain",
    "B112": "tests/metadata/test_tuf_json.py::test_a_keyid_signs_once_unless_the_dialect_allows_more",
    "B113": "tests/attack/test_hostile_names.py::test_a_role_by_any_name",
    "B114": "tests/metadata/test_bounds.py::test_what_is_out_of_bounds_is_refused",
    "B115": "tests/attack/test_rollback.py::test_older_metadata",
    "B116": "tests/attack/test_rollback.py::test_older_metadata",
    "B117": "tests/metadata/test_bounds.py::test_paths_that_are_never_written",
    "B118": "tests/attack/test_hardening_clients.py::test_a_cache_is_no_second_opinion",
    "B119": "tests/attack/test_hardening_clients.py::test_expired_is_expired_unless_somebody_says_what_time_it_is",
    "B120": "tests/attack/test_hardening_repositories.py::test_publisher_and_client_ask_the_same_question",
    "B122": "tests/attack/test_key_compromise.py::test_a_stolen_timestamp_key_signs_no_other_role",
    "B123": "tests/repository/test_tampering.py::test_a_published_document_is_changed",
    "B124": "tests/repository/test_tampering.py::test_a_file_cannot_be_read_for_a_moment",
    "B125": "tests/repository/test_together.py::test_the_lock_is_only_a_courtesy",
    "B126": "tests/attack/test_hardening_clients.py::test_a_snapshot_that_cannot_be_had_is_not_gone_without",
    "B128": "tests/attack/test_hostile_names.py::test_roles_whose_names_differ_in_case_only",
    "B129": "tests/repository/test_crashes.py::test_publish_dies_at_every_step",
    "B131": "tests/metadata/test_bounds.py::test_what_is_out_of_bounds_is_refused",
    "B132": "tests/repository/test_policy.py::test_a_wrong_policy",
    "B134": "tests/attack/test_key_compromise.py::test_a_kept_role_is_believed_by_its_delegators_newest_word",
}
"""Where each number is tested; the function, or the table that it reads, cites it."""

HABITS: Final = {
    "B004": ("SECURITY.md", "The forge alone cannot release."),
    "B006": ("SECURITY.md", "Phishing-resistant second factors."),
    "B011": ("SECURITY.md", "Nobody goes around the rules."),
    "B028": ("SECURITY.md", "Tools and test dependencies are installed from files with hashes"),
    "B031": ("tests/docs/test_docs.py", "What a reader copies works, and looks as the page says."),
    "B033": ("tests/docs/test_docs.py", 'PAGES = [ROOT / "README.md"'),
    "B045": ("src/tuffet/keys/memory.py", "Python cannot wipe that memory (B045)"),
    "B065": ("docs/publish.md", "move their files to different places"),
}
"""Where each number is a habit: the file, and the words in it."""

NO_SERVICE: Final = "there is no service yet, only a directory, a client and a server of public files"
NO_IMAGES: Final = "no container images or compose files are published yet"

NOT_APPLICABLE: Final = {
    "B026": "no signer of a key service yet",
    "B029": NO_IMAGES,
    "B030": NO_IMAGES,
    "B032": "nothing reads or writes CSV",
    "B034": NO_SERVICE,
    "B035": NO_SERVICE,
    "B037": NO_IMAGES,
    "B038": NO_SERVICE,
    "B039": NO_IMAGES,
    "B044": NO_SERVICE,
    "B054": "a repository is a directory that its owner names; there are no named collections yet",
    "B055": NO_IMAGES,
    "B057": "nothing uses JSON web tokens",
    "B066": f"{NO_SERVICE}; `tuffet status` tells what is about to expire, and nobody is alerted",
    "B067": "keys cannot be rotated by a command yet, so there is nothing to document",
    "B069": "there is no embedded database to compact",
    "B070": "on Windows the directory decides who reads a key file; there is no code of ours for access lists yet",
    "B071": "as B070",
    "B072": NO_SERVICE,
    "B073": "nothing reads or writes CSV",
    "B074": NO_SERVICE,
    "B075": NO_SERVICE,
    "B076": NO_SERVICE,
    "B077": NO_SERVICE,
    "B078": NO_SERVICE,
    "B085": "there is no map.json (TAP 4) yet",
    "B096": "every digest that is compared is public, so the time that it takes tells nothing",
    "B121": "no integration unpacks archives yet",
    "B127": NO_SERVICE,
    "B130": NO_SERVICE,
    "B133": "there are no drafts that wait for signatures yet",
}
"""Why a number concerns nothing that there is; whoever builds it moves the number up."""


@cache
def functions(path: Path) -> dict[str, str]:
    """Return the source of each test function in a file, with its decorators."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def test_every_number_has_its_place() -> None:
    numbers = [*TESTED, *HABITS, *NOT_APPLICABLE]
    assert sorted(numbers) == [f"B{number:03d}" for number in range(1, COUNT + 1)]


@pytest.mark.parametrize(("number", "place"), TESTED.items(), ids=TESTED)
def test_a_test_cites_its_number(number: str, place: str) -> None:
    """The file and the function are there, and the number stands in the function or in a table outside of all functions."""
    name, _, function = place.partition("::")
    path = ROOT / name
    assert path.is_file(), f"{name} is gone"
    text, held = path.read_text(encoding="utf-8"), functions(path)
    assert function in held, f"{place} is gone"
    for other, source in held.items():
        if other != function:
            text = text.replace(source, "")
    assert re.search(rf"\b{number}\b", text), f"{place} does not cite {number}"


@pytest.mark.parametrize(("number", "name", "words"), [(number, *place) for number, place in HABITS.items()], ids=HABITS)
def test_a_habit_is_written_down(number: str, name: str, words: str) -> None:
    assert words in " ".join((ROOT / name).read_text(encoding="utf-8").split()), f"{name} no longer says why {number} cannot happen"


def test_no_number_is_invented() -> None:
    """Whatever tests and sources cite is in the list."""
    cited = {
        number
        for folder in ("src", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for number in re.findall(r"\bB\d{3}\b", path.read_text(encoding="utf-8"))
    }
    assert cited <= {*TESTED, *HABITS, *NOT_APPLICABLE}


def test_what_cannot_happen_says_why() -> None:
    assert all(len(reason) > 5 for reason in NOT_APPLICABLE.values())
