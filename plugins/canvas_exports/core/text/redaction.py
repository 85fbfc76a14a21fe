"""Remove credentials from text: the known secrets of this process, and everything with the form of a credential."""

from __future__ import annotations

import os
import re
import threading
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
_SHORTEST = 5  # characters, as in Airflow's own masker: masking shorter words would make every log unreadable
_MOST = 2_000  # secrets, the newest of them; access tokens are renewed every hour

_WORD = re.compile(r"[^\s\"'<>`]+")
_QUERY = re.compile(r"\?|%3f", re.IGNORECASE)
_AUTHORITY = re.compile(r"://[^/?#\s]*@")
# The value after the name of a secret. After a colon, a word without a digit or quote is prose and no value. Every repetition
# before a value is bounded, so the time is linear.
_NAMED = re.compile(
    r"((?:passw(?:or)?d|\bpwd|passphrase|secret|api[_-]?key|\bsig(?==)|token|verifier|signature|credentials?|private_?key|account_?key|cookie)"
    r"[\w-]{0,40}['\"]?\s{0,3}(?:=\s{0,3}b?|(?<=['\"]),\s{0,3}b?(?=['\"])|:\s{0,3}(?:b?(?=['\"])|(?=[^\s,;]{0,99}[0-9]))))"
    r"(\"[^\"]*\"?|'[^']*'?|[^\s,;&\"')}\]]+)",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization(?:['\"]?\s{0,3}[:=]|['\"],)\s{0,3}b?['\"]?)[^'\"\r\n]+", re.IGNORECASE)
_SCHEME = re.compile(r"\b(Bearer|Basic|SharedKey)\s+(?=[\w.~+/:-]{0,400}[0-9=])[\w.~+/:=-]{8,}")
_JWT = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}")
_BLOCK = re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]*")
_ENVIRONMENT = re.compile(r"(AWS|AZURE|GOOGLE)_\w*(SECRET|TOKEN|ACCOUNT_KEY|PASSWORD|SAS)\w*")
_LINE = 16  # of a key in PEM


class KnownSecrets:
    """The secrets that ``redact`` removes, in every form in which each may be written. Safe between threads.

    Attributes:
        forms: the texts, the longest first; replaced whole, so that reading them needs no lock.
    """

    def __init__(self) -> None:
        self.forms: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def add(self, *secrets: str) -> None:
        """Add secrets; the oldest are forgotten once there are many."""
        new = {form for secret in secrets for form in _forms(secret)} - set(self.forms)
        if not new:
            return
        with self._lock:
            kept = [*(each for each in self.forms if each not in new), *new][-_MOST:]
            self.forms = tuple(sorted(kept, key=len, reverse=True))


KNOWN = KnownSecrets()
"""The secrets of this process."""


def register_secrets(*secrets: object) -> None:
    """Add secrets of this process, which ``redact`` then removes everywhere, also percent-encoded or quoted.

    Args:
        secrets: texts; other values, and texts shorter than five characters, are ignored.
    """
    KNOWN.add(*(secret for secret in secrets if isinstance(secret, str)))


def register_environment() -> None:
    """Add the credentials of object stores and proxies in the environment."""
    register_secrets(*(value for name, value in os.environ.items() if _ENVIRONMENT.fullmatch(name)))
    proxies = (value for name, value in os.environ.items() if name.lower().endswith("_proxy"))
    users = (value.rpartition("@")[0].rpartition("//")[2] for value in proxies)
    register_secrets(
        *(each for user in users for each in (user, user.partition(":")[2], unquote(user.partition(":")[2])))
    )


def redact(text: str) -> str:
    """Return the text without credentials.

    Masked are the secrets of ``register_secrets``; the query of every URL, absolute or not, with or without names in it; user
    and password in a URL; the value of an ``Authorization`` header or a cookie; values after the name of a secret
    (``token=``, ``'password': ``); JSON web tokens; private keys. The time is linear in the length of the text.
    """
    for secret in KNOWN.forms:
        if secret in text:
            text = text.replace(secret, MASK)
    if "?" in text or "@" in text or "%3" in text:
        text = _WORD.sub(_bare, text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    text = _JWT.sub(MASK, text)
    return _BLOCK.sub(rf"\1{MASK}", text) if "PRIVATE KEY" in text else text


def _bare(word: re.Match[str]) -> str:
    """Remove the query from a word that may be a URL or its path, and user and password."""
    text = _AUTHORITY.sub(f"://{MASK}@", word[0]) if "@" in word[0] else word[0]
    found = _QUERY.search(text)
    if found is None:
        return text
    head, tail = text[: found.start()], text[found.end() :]
    is_address = "://" in head or "%3a%2f%2f" in head.lower() or head.lstrip("([{=").startswith("/")
    if tail and (is_address or "=/" in head or "=" in tail or "%3d" in tail.lower()):
        return f"{head}{found[0]}{MASK}"
    return text


def _forms(secret: str) -> set[str]:
    """Return the forms in which a secret may be written."""
    forms = {secret, secret.strip(), quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {repr(form)[1:-1] for form in forms}
    if "PRIVATE KEY" in secret:  # also one within JSON
        lines = secret.replace("\\n", "\n").splitlines()
        forms |= {line for line in lines if len(line) > _LINE and not line.startswith(("-----", "{"))}
    return {form for form in forms if len(form) >= _SHORTEST}
