"""The meaning of a cloud's error response: from HTTP status and code, never from its text, which may hold URLs and signatures."""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    LockedError,
)

_DENIED = (401, 403)
_ELSEWHERE = (301, 302, 307, 308, 400)
_NOT_OFFERED = (405, 501, 505)
_RETRIED_BY_OBSTORE = (408, 429)  # and 5xx: obstore's client repeats those by itself

# Of GCS and Azure.
_LOCKED = (
    "objectunderactivehold",
    "retentionpolicynotmet",
    "blobimmutableduetopolicy",
    "blobimmutableduetolegalhold",
    "objectlocked",
)
_TAKEN = ("blobalreadyexists", "preconditionfailed", "conditionnotmet")
# Whatever their status: a body that was cut or damaged on its way, two writers at once, a server that wants fewer requests.
_TEMPORARY = frozenset(
    (
        *("requesttimeout", "baddigest", "incompletebody", "invalidpart", "invalidpartorder"),
        *(
            "xamzcontentsha256mismatch",
            "xamzcontentchecksummismatch",
            "contentchecksummismatch",
            "md5mismatch",
        ),
        *("clientdisconnected", "conditionalrequestconflict", "operationaborted", "priorrequestnotcomplete"),
        *(
            "slowdown",
            "slowdownread",
            "slowdownwrite",
            "serverbusy",
            "busy",
            "serviceunavailable",
            "nosuchupload",
        ),
        *(
            "internalerror",
            "internalservererror",
            "operationtimedout",
            "toomanyrequests",
            "bandwidthlimitexceeded",
        ),
        *(
            "ratelimitexceeded",
            "userratelimitexceeded",
            "throttling",
            "throttlingexception",
            "throttledexception",
        ),
        *("requestthrottled", "requestthrottledexception", "requestlimitexceeded", "requesttimeoutexception"),
    )
)
_QUOTA = "the quota of the bucket or of its owner is used up; free space there, or have it raised"
_ACCOUNT = "the store has closed the account, or wants something settled first; ask its provider"
_TOKEN = "the session token has expired; renew it, unless it is renewed by itself"  # noqa: S105 - a sentence
_LOOK_UP = "check the credentials and their rights: to read, and to list, without which a look at what is not there is denied"
_COLD = "the object lies in a storage class from which nothing is read at once; have it restored there first"
_SENTENCES: dict[str, tuple[type[ArchiveError], str]] = {
    "quotaexceeded": (ArchiveDeniedError, _QUOTA),
    "storagequotaexceeded": (ArchiveDeniedError, _QUOTA),
    "xminioadminbucketquotaexceeded": (ArchiveDeniedError, _QUOTA),
    "xminiostoragefull": (ArchiveDeniedError, "the store is full; free space there"),
    "insufficientstorage": (ArchiveDeniedError, "the store is full; free space there"),
    "invalidaccesskeyid": (
        ArchiveDeniedError,
        "the store does not know this access key; correct the access key",
    ),
    "signaturedoesnotmatch": (
        ArchiveDeniedError,
        "the secret key does not belong to the access key; correct the secret key",
    ),
    "authenticationfailed": (
        ArchiveDeniedError,
        "key or signature are not accepted; correct them, and look whether this machine's clock is right",
    ),
    "requesttimetooskewed": (
        ArchiveDeniedError,
        "the clocks of this machine and of the store differ too much; set this machine's clock",
    ),
    "expiredtoken": (ArchiveUnavailableError, _TOKEN),
    "tokenrefreshrequired": (ArchiveUnavailableError, _TOKEN),
    "invalidtoken": (ArchiveDeniedError, "the session token is not valid; renew it"),
    "accountproblem": (ArchiveDeniedError, _ACCOUNT),
    "allaccessdisabled": (ArchiveDeniedError, _ACCOUNT),
    "notsignedup": (ArchiveDeniedError, _ACCOUNT),
    "usersuspended": (ArchiveDeniedError, _ACCOUNT),
    "accountisdisabled": (ArchiveDeniedError, _ACCOUNT),
    "userprojectaccountproblem": (ArchiveDeniedError, _ACCOUNT),
    "invalidobjectstate": (ArchiveDeniedError, _COLD),
    "blobarchived": (ArchiveDeniedError, _COLD),
    "invalidstorageclass": (
        ArchiveDeniedError,
        "the store has no such storage class; correct storage_class",
    ),
    "leaseidmissing": (ArchiveDeniedError, "there is a lease on it; have the lease broken"),
    "entitytoolarge": (ArchiveError, "it is larger than the store takes"),
}
_KMS = "the key to encrypt with cannot be used; look at its state and at who may use it"


#: Where the credentials of a kind of store are found if none are given, by the first letter of its URIs.
_ENVIRONMENT = {
    "s": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the files of AWS's tools, or the machine's role",
    "g": "Google's application default credentials, such as GOOGLE_APPLICATION_CREDENTIALS or a login with gcloud",
    "a": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or a managed identity",
}


def no_credentials(uri: str) -> str:
    """Return the message for a store without credentials, whether a task or a command uses it."""
    return f"no credentials are given, and the environment has none: {_ENVIRONMENT[uri[0]]}"


@dataclass(frozen=True)
class ErrorResponse:
    """The HTTP status and the code with which a store refused a request.

    Attributes:
        status: of HTTP; ``None`` if there was no answer, or none that is known.
        code: the store's own word for it, of letters, digits and dots.
    """

    status: int | None = None
    code: str | None = None

    @property
    def detail(self) -> str:
        """Return code and status for a message."""
        return ", ".join(part for part in (self.code, self.status and f"HTTP {self.status}") if part)

    @property
    def is_temporary(self) -> bool:
        """Return whether the same request may be granted a little later."""
        status = self.status or 0
        return (
            self._word in _TEMPORARY
            or (self._word not in _SENTENCES and not self.is_lock and (status in (408, 409, 425, 429)))
            or (status >= 500 and status not in _NOT_OFFERED and self._word not in _SENTENCES)  # noqa: PLR2004 - HTTP's
        )

    @property
    def is_retried_by_us(self) -> bool:
        """Return whether it is passing and obstore's client does not repeat it by itself."""
        status = self.status or 0
        return self.is_temporary and status not in _RETRIED_BY_OBSTORE and 0 < status < 500  # noqa: PLR2004 - HTTP's

    @property
    def may_concern_condition(self) -> bool:
        """Return whether it may mean that the store does not support conditional requests: retry without a condition."""
        return self.status in (400, *_NOT_OFFERED) and not self.is_temporary and self._word not in _SENTENCES

    @property
    def is_specific(self) -> bool:
        """Return whether it states the problem, for any request."""
        return self.is_temporary or self._word in _SENTENCES or self.status in _DENIED

    @property
    def is_lock(self) -> bool:
        """Return whether a lock forbids it."""
        return self._word in _LOCKED or self.status == 423  # noqa: PLR2004 - HTTP's

    @property
    def is_taken(self) -> bool:
        """Return whether the condition was that the key is free, and it is not."""
        return self.status in (None, 412) or self._word in _TAKEN

    def error(self, uri: str, action: str, key: str | None = None) -> ArchiveError:
        """Return the error to raise.

        Args:
            uri: the archive's root.
            action: a verb, for the message.
            key: of the object.
        """
        if self.is_lock:
            return LockedError(f"cannot {action}: the store has locked it", key=key)
        kind, words = self._meaning(action)
        return kind(f"cannot {action} in {uri}{words}", key=key)

    def _meaning(self, action: str) -> tuple[type[ArchiveError], str]:
        """Return the kind of error, and the end of its message."""
        known = _SENTENCES.get(self._word)
        kind: type[ArchiveError] = ArchiveUnavailableError
        if known is not None:
            kind, words = known[0], f": {self.detail}: {known[1]}"
        elif self._word.startswith("kms."):
            kind, words = ArchiveDeniedError, f": {self.detail}: {_KMS}"
        elif self.is_temporary:
            words = f" at present: {self.detail}"
        elif self.status == 403 and action == "look up":  # noqa: PLR2004 - HTTP's
            # A response to HEAD has no code, and without the right to list, S3 refuses a look-up of an absent object like this.
            kind, words = ArchiveDeniedError, f": {self.detail}; {_LOOK_UP}"
        elif self.status in _DENIED or self._word == "accessdenied":
            kind, words = ArchiveDeniedError, f": {self.detail}; check the credentials and their rights"
        elif self.status in _NOT_OFFERED:
            kind, words = ArchiveError, f": {self.detail}: the store does not offer it"
        elif self.status in _ELSEWHERE:
            kind, words = ArchiveError, f": {self.detail}; check region and endpoint"
        else:
            words = f" at present: {self.detail or 'no answer'}"
        return kind, words

    @property
    def _word(self) -> str:
        return (self.code or "").lower()


class FailedRequestError(Exception):
    """The failure of one request: the response that refuses it, or the reason why there is no response.

    Raised where the SDK itself raises nothing or goes on.
    """

    def __init__(self, failure: ErrorResponse | ArchiveError) -> None:
        super().__init__()
        self.failure = failure


def no_answer(error: Exception) -> ArchiveUnavailableError:
    """Return the error for a request without a response. Its own message is left out: it may hold a signed URL."""
    return ArchiveUnavailableError(f"the store did not answer: {type(error).__name__}")
