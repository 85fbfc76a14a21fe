"""Large incompressible content at no cost: a pool of random bytes, read round and round."""

from __future__ import annotations

import hashlib
import random
import zlib
from functools import lru_cache

POOL_SIZE = 1024 * 1024
_POOL = memoryview(random.Random(20_13).randbytes(POOL_SIZE) * 2)
"""Twice the same bytes, so that every turn of the pool is one contiguous slice."""

_CRC_POLYNOMIAL = 0xEDB88320


class Filler:
    """``size`` bytes that depend on ``name`` alone.

    They begin with a digest of the name; the rest is the pool from an offset that the digest selects, repeated. Any offset
    can be read on its own, and the CRC-32 is computed from that of one turn.
    """

    def __init__(self, name: str, size: int) -> None:
        self._head = hashlib.sha256(name.encode()).digest()
        self._turn = int.from_bytes(self._head[:4], "big") % POOL_SIZE
        self.size = size

    @property
    def fingerprint(self) -> bytes:
        """Return the head and the size."""
        return self._head + self.size.to_bytes(8, "big")

    @property
    def crc(self) -> int:
        """CRC-32 of all bytes."""
        return _crc(self._head, self._turn, self.size)

    def read(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start``, ending at ``stop`` or where the slice of the pool ends."""
        head = len(self._head)
        if start < head:
            return memoryview(self._head)[start:stop]
        first = self._turn + (start - head) % POOL_SIZE
        return _POOL[first : min(first + stop - start, 2 * POOL_SIZE)]


@lru_cache(maxsize=8192)
def _crc(head: bytes, turn: int, size: int) -> int:
    if size <= len(head):
        return zlib.crc32(head[:size])
    turns, rest = divmod(size - len(head), POOL_SIZE)
    turn_crc, turn_length = zlib.crc32(_POOL[turn : turn + POOL_SIZE]), POOL_SIZE
    crc = zlib.crc32(head)
    while turns:
        if turns & 1:
            crc = combine_crc(crc, turn_crc, turn_length)
        turn_crc, turn_length = combine_crc(turn_crc, turn_crc, turn_length), turn_length * 2
        turns >>= 1
    return zlib.crc32(_POOL[turn : turn + rest], crc)


def combine_crc(first: int, second: int, second_length: int) -> int:
    """Return the CRC-32 of two byte strings, from the CRC of each and the length of the second.

    Appending n bytes multiplies the first CRC by x to the power 8n, modulo the CRC's polynomial.
    """
    factor, square, exponent = 1 << 31, 1 << 30, second_length * 8
    while exponent:
        if exponent & 1:
            factor = _multiply(factor, square)
        square = _multiply(square, square)
        exponent >>= 1
    return _multiply(factor, first) ^ second


def _multiply(left: int, right: int) -> int:
    """Multiply two polynomials over GF(2) modulo the CRC's, bits reflected as in CRC-32."""
    product = 0
    for bit in range(31, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (_CRC_POLYNOMIAL if right & 1 else 0)
    return product
