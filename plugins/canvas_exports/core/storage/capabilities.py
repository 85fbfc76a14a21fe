"""What one store can do and another cannot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """What a store does beyond what every ``Store`` does; ``docs/archive.md`` says what follows where it does not.

    Attributes:
        one_winner: of several writers of one small document under one key, exactly one succeeds.
        sweeps: unfinished uploads can be found and removed; elsewhere the store forgets them by itself.
        signs: it makes URLs from which one object can be read without credentials.
        encrypts: a key of one's own for encryption at rest can be chosen.
        classes: a storage class or access tier can be chosen for packages.
        tags: objects bear tags.
        locks: objects can be locked, and asked how long they are.
    """

    one_winner: bool = True
    sweeps: bool = True
    signs: bool = False
    encrypts: bool = False
    classes: bool = False
    tags: bool = False
    locks: bool = False
