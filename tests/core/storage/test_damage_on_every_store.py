"""Whatever a store is, a verification finds what happened to its objects."""

from __future__ import annotations

from tests.support.archives.stored import RUN, package, rotten, spoil, stored
from tests.support.store_servers.stores import Place

from canvas_exports.core.archive.verification.verify_archive import VerificationBudget, verify_archive
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.store import Store


def results(store: Store, level: ProofLevel) -> dict[str, str]:
    verified = verify_archive(store, level=level, budget=VerificationBudget(), run=RUN)
    return {record.context: record.outcome for record in verified.rows}


def test_rotten_cut_and_vanished_packages_are_found(place: Place) -> None:
    store = place.store
    rot, cut, gone, _ = (stored(store, course) for course in (101, 102, 103, 104))
    spoil(store, rot.package.key, rotten(package()))
    spoil(store, cut.package.key, package()[:-1000])
    store.delete(gone.package.key)
    assert results(store, ProofLevel.FULL) == {
        "course:101": "damaged",
        "course:102": "damaged",
        "course:103": "vanished",
        "course:104": "intact",
    }
    assert results(store, ProofLevel.DIRECTORY)["course:102"] == "damaged"
