"""From the download URL to the bytes, and every way to miss them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import urllib3

from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Storage, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

DAY = 86_400
ALL = [(storage, files_domain) for storage in Storage for files_domain in (False, True)]


def ready(start: Start, call: Call, *faults: Any, **switches: Any) -> tuple[Sandbox, Caller, Any]:
    """A sandbox, its admin, and a finished export."""
    canvas = start(Course(id=101, faults=faults), switches=Switches(manual_clock=True, **switches))
    admin = call(canvas)
    return canvas, admin, admin.finish(admin.create())


def storage_url(admin: Caller, export: Any) -> str:
    return str(admin.get(export["attachment"]["url"], allow_redirects=False).headers["Location"])


def test_48_the_url_carries_a_verifier_only_by_switch(start: Start, call: Call) -> None:
    canvas, _, export = ready(start, call)
    file_id = export["attachment"]["id"]
    assert export["attachment"]["url"] == f"{canvas.url}/files/{file_id}/download?download_frd=1"
    canvas, _, export = ready(start, call, verifier_in_url=True, uuid_in_file_json=True)
    attachment = export["attachment"]
    assert (
        attachment["url"]
        == f"{canvas.url}/files/{file_id}/download?download_frd=1&verifier={attachment['uuid']}"
    )


def test_48_a_verifier_is_enough_without_a_token(start: Start, call: Call) -> None:
    canvas, _, export = ready(start, call, verifier_in_url=True, file_token_auth=False)
    assert zipfile.is_zipfile(io.BytesIO(call(canvas, None).download(export).content))


@pytest.mark.parametrize("switches", [{}, {"file_token_auth": False}])
def test_49_without_a_credential_there_is_a_login_page(
    start: Start, call: Call, switches: dict[str, bool]
) -> None:
    canvas, admin, export = ready(start, call, **switches)
    caller = admin if switches else call(canvas, None)
    response = caller.download(export)
    assert [hop.status_code for hop in response.history] == [302]
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert response.content.startswith(b"<!DOCTYPE html>")
    as_json = caller.get(export["attachment"]["url"], headers={"Accept": "application/json"})
    assert (as_json.status_code, "WWW-Authenticate" in as_json.headers) == (401, False)


def test_49_a_bad_token_counts_as_none_and_a_stranger_is_denied(start: Start, call: Call) -> None:
    canvas, _, export = ready(start, call)
    url = export["attachment"]["url"]
    forged = requests.get(url, headers={"Authorization": "Bearer forged"}, allow_redirects=False, timeout=20)
    assert forged.headers["Location"] == f"{canvas.url}/login"
    assert call(canvas, "student").get(url).status_code == 403


@pytest.mark.parametrize(("storage", "status"), [(Storage.S3, 401), (Storage.INSTFS, 401)])
def test_50_storage_refuses_a_request_that_brings_the_token(
    start: Start, call: Call, storage: Storage, status: int
) -> None:
    canvas, admin, export = ready(start, call, storage=storage)
    url = storage_url(admin, export)
    assert urlsplit(url).hostname != urlsplit(canvas.url).hostname
    assert admin.get(url).status_code == status
    assert call(canvas, None).get(url).status_code == 200
    forgiving, other, export = ready(start, call, storage=storage, reject_bearer_on_storage=False)
    assert forgiving.storage_url in storage_url(other, export)
    assert other.get(storage_url(other, export)).status_code == 200


def test_51_a_missing_object_is_a_400_page(start: Start, call: Call) -> None:
    _, admin, export = ready(start, call, Fault.STORAGE_GONE)
    response = admin.download(export)
    assert (response.status_code, response.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("storage", "status", "kind"),
    [(Storage.S3, 403, "application/xml"), (Storage.INSTFS, 401, "application/json; charset=utf-8")],
)
def test_52_a_storage_url_expires_and_the_canvas_url_gives_a_new_one(
    start: Start, call: Call, storage: Storage, status: int, kind: str
) -> None:
    canvas, admin, export = ready(start, call, storage=storage, storage_url_ttl=60)
    url, nobody = storage_url(admin, export), call(canvas, None)
    assert nobody.get(url).status_code == 200
    canvas.advance(61)
    expired = nobody.get(url)
    assert (expired.status_code, expired.headers["Content-Type"]) == (status, kind)
    assert admin.download(export).status_code == 200


def test_52_a_link_can_be_handed_out_expired(start: Start, call: Call) -> None:
    _, admin, export = ready(start, call, Fault.EXPIRED_LINK.times(1))
    assert [admin.download(export).status_code for _ in range(2)] == [403, 200]


@pytest.mark.parametrize(
    ("storage", "part", "forged"),
    [
        (Storage.S3, "X-Amz-Expires=8", "X-Amz-Expires=9"),
        (Storage.S3, "/70001/", "/70002/"),
        (Storage.INSTFS, "token=e", "token=f"),
        (Storage.INSTFS, "-export.imscc", "-other.imscc"),
    ],
)
def test_a_signed_url_that_was_changed_is_refused(
    start: Start, call: Call, storage: Storage, part: str, forged: str
) -> None:
    canvas, admin, export = ready(start, call, storage=storage)
    url = storage_url(admin, export)
    assert part in url
    assert call(canvas, None).get(url.replace(part, forged, 1)).status_code in (401, 403)


@pytest.mark.parametrize(("storage", "files_domain"), ALL)
def test_every_way_to_the_bytes_arrives(
    start: Start, call: Call, storage: Storage, files_domain: bool
) -> None:
    canvas, admin, export = ready(start, call, storage=storage, files_domain=files_domain)
    response = admin.download(export)
    assert len(response.history) == (storage is not Storage.LOCAL) + files_domain
    assert len(response.content) == export["attachment"]["size"] == int(response.headers["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None
    last = [record for record in canvas.requests if record.bytes == len(response.content)]
    assert [record.listener for record in last] == ["canvas" if storage is Storage.LOCAL else "storage"]


def test_an_expired_hop_goes_back_to_where_it_came_from(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call, files_domain=True)
    hop = storage_url(admin, export)
    assert urlsplit(hop).hostname != urlsplit(canvas.url).hostname
    canvas.advance(DAY)
    back = requests.get(hop, allow_redirects=False, timeout=20)
    assert back.status_code == 302
    assert back.headers["Location"].startswith(f"{canvas.url}/files/{export['attachment']['id']}/download?")
    assert "fallback_ts=" in back.headers["Location"]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-22", 206, slice(-22, None)),
        ("bytes=0-99999999", 206, slice(0, None)),
        ("bytes=1-2,5-6", 200, slice(0, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
    ],
)
def test_ranges_give_exactly_the_bytes_asked_for(
    start: Start, call: Call, asked: str, status: int, part: slice
) -> None:
    canvas, admin, export = ready(start, call)
    whole = admin.download(export).content
    response = call(canvas, None).get(storage_url(admin, export), headers={"Range": asked})
    assert response.status_code == status
    assert response.content == whole[part]
    if status == 206:
        first = part.indices(len(whole))[0]
        assert (
            response.headers["Content-Range"]
            == f"bytes {first}-{first + len(response.content) - 1}/{len(whole)}"
        )


@pytest.mark.parametrize(("etag", "status"), [(None, 206), ("other", 200)])
def test_if_range_with_another_etag_starts_again(
    start: Start, call: Call, etag: str | None, status: int
) -> None:
    canvas, admin, export = ready(start, call)
    url = storage_url(admin, export)
    nobody = call(canvas, None)
    current = nobody.request("HEAD", url).headers["ETag"]
    headers = {"Range": "bytes=5-", "If-Range": current if etag is None else f'"{etag}"'}
    assert nobody.get(url, headers=headers).status_code == status


def test_without_range_support_everything_comes_every_time(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call, ranges=False)
    response = call(canvas, None).get(storage_url(admin, export), headers={"Range": "bytes=5-"})
    assert (response.status_code, len(response.content)) == (200, export["attachment"]["size"])
    assert "Accept-Ranges" not in response.headers


def test_bytes_outlive_the_attachment_until_the_night_after(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call)
    canvas.advance(30 * DAY - 30)
    assert "attachment" not in admin.show(export)
    assert admin.download(export).status_code == 200
    canvas.advance(DAY + 60)
    gone = admin.download(export)
    assert (gone.status_code, gone.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_the_file_can_be_shown_by_those_who_may_show_the_export(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call)
    path = f"/api/v1/files/{export['attachment']['id']}"
    assert admin.get(path).json() == export["attachment"]
    assert call(canvas, "student").get(path).status_code == 403
    assert admin.get("/api/v1/files/1").status_code == 404


def test_a_login_page_can_stand_in_for_the_file(start: Start, call: Call) -> None:
    _, admin, export = ready(start, call, Fault.LOGIN_PAGE.times(1))
    assert admin.download(export).content.startswith(b"<!DOCTYPE html>")
    assert admin.download(export).content.startswith(b"PK")


def test_a_truncated_object_is_a_clean_response_that_is_too_short(start: Start, call: Call) -> None:
    _, admin, export = ready(start, call, Fault.TRUNCATED)
    response = admin.download(export)
    assert (
        len(response.content) == int(response.headers["Content-Length"]) == export["attachment"]["size"] // 2
    )


@pytest.mark.parametrize(("fault", "failures"), [(Fault.CUT.times(2), 2), (Fault.CUT, 4)])
def test_a_cut_breaks_the_connection_in_the_middle(
    start: Start, call: Call, fault: Any, failures: int
) -> None:
    canvas, admin, export = ready(start, call, fault)

    def received() -> int:
        try:
            return len(admin.download(export).content)
        except requests.RequestException:
            return -1

    outcomes = [received() for _ in range(4)]
    assert outcomes == [-1] * failures + [export["attachment"]["size"]] * (4 - failures)
    sent = [record.bytes for record in canvas.requests if record.listener == "storage"]
    assert sent[:failures] == [export["attachment"]["size"] // 2] * failures


def test_a_cut_can_be_placed_to_the_byte(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call)
    canvas.inject(RequestFault("cut", path=r"/attachments/", after=1000))
    response = admin.get(export["attachment"]["url"], stream=True)
    received: list[bytes] = []
    with pytest.raises(requests.RequestException):
        received.extend(response.iter_content(100))
    assert b"".join(received) == admin.download(export).content[:1000]


@pytest.mark.parametrize("switch", [True, False])
def test_a_package_in_chunks_has_no_length(start: Start, call: Call, switch: bool) -> None:
    faults = [] if switch else [Fault.CHUNKED]
    _, admin, export = ready(start, call, *faults, chunked=switch)
    response = admin.download(export)
    assert "Content-Length" not in response.headers
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert len(response.content) == export["attachment"]["size"]
    part = requests.get(storage_url(admin, export), headers={"Range": "bytes=10-19"}, timeout=20)
    assert (part.status_code, part.content) == (206, response.content[10:20])


@pytest.mark.parametrize("chunked", [True, False])
def test_every_connection_can_break_after_so_many_bytes(start: Start, call: Call, chunked: bool) -> None:
    canvas, _, export = ready(start, call, Fault.BREAKS, break_after=20_000, chunked=chunked)
    size, got = export["attachment"]["size"], b""
    while len(got) < size:
        url = storage_url(call(canvas), export)
        headers = {"Range": f"bytes={len(got)}-"}
        with requests.get(url, headers=headers, timeout=20, stream=True) as response:
            before = len(got)
            try:
                for block in response.raw.stream(1000):
                    got += block
            except urllib3.exceptions.HTTPError:
                assert len(got) - before == 20_000
            else:
                assert len(got) - before < 20_000
    assert zipfile.ZipFile(io.BytesIO(got)).testzip() is None
    assert len(canvas.exports) == 1


@pytest.mark.parametrize(("fault", "difference"), [(Fault.OVERLONG, 1_000), (Fault.NO_BYTES, None)])
def test_an_object_of_another_length_than_announced_is_a_clean_response(
    start: Start, call: Call, fault: Fault, difference: int | None
) -> None:
    _, admin, export = ready(start, call, fault)
    response = admin.download(export)
    announced = export["attachment"]["size"]
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert len(response.content) == (0 if difference is None else announced + difference)


def test_a_slow_download_drips_but_arrives(start: Start, call: Call) -> None:
    _, admin, export = ready(start, call, Fault.SLOW.times(1), slow_rate=200_000)
    slow = admin.download(export)
    assert slow.elapsed.total_seconds() < 5
    assert len(slow.content) == export["attachment"]["size"]


def test_a_head_request_returns_size_and_etag(start: Start, call: Call) -> None:
    canvas, admin, export = ready(start, call)
    response = call(canvas, None).request("HEAD", storage_url(admin, export))
    assert (response.content, int(response.headers["Content-Length"])) == (b"", export["attachment"]["size"])
