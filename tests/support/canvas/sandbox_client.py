"""A client of the sandbox made of nothing but requests."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import requests

from canvas_sandbox import Sandbox, Switches

FROZEN = Switches(manual_clock=True)


class Caller:
    """One person's requests. Paths without a host go to Canvas; redirects are followed as `requests` does."""

    def __init__(self, canvas: Sandbox, token: str | None) -> None:
        self.canvas = canvas
        self._session = requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        if url.startswith("/"):
            url = self.canvas.url + url
        return self._session.request(method, url, timeout=20, **options)

    def get(self, url: str, **options: Any) -> requests.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, data: Any = None, **options: Any) -> requests.Response:
        return self.request("POST", url, data=data, **options)

    def create(
        self,
        export_type: str = "common_cartridge",
        context: str = "courses/101",
        select: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Any:
        """A new export's JSON; the request must succeed. ``select`` has flags, lists of ids, or hashes."""
        form = {"export_type": export_type, **fields}
        for name, value in (select or {}).items():
            if isinstance(value, list):
                form[f"select[{name}][]"] = value
            elif isinstance(value, dict):
                form |= {f"select[{name}][{key}]": chosen for key, chosen in value.items()}
            else:
                form[f"select[{name}]"] = value
        response = self.post(f"/api/v1/{context}/content_exports", form)
        assert response.status_code == 200, response.text
        return response.json()

    def show(self, export: Any, context: str = "courses/101") -> Any:
        return self.get(f"/api/v1/{context}/content_exports/{export['id']}").json()

    def progress(self, export: Any) -> Any:
        return self.get(export["progress_url"]).json()

    def finish(self, export: Any, context: str = "courses/101") -> Any:
        """The export after a minute has passed on the clock that only tests move."""
        self.canvas.advance(60)
        return self.show(export, context)

    def download(self, export: Any) -> requests.Response:
        return self.get(export["attachment"]["url"])

    def migrate(
        self,
        migration_type: str = "canvas_cartridge_importer",
        context: str = "courses/102",
        size: int | None = 1000,
        **fields: Any,
    ) -> Any:
        """A new migration's JSON; the request must succeed. With a ``size`` it waits for an upload."""
        form = {"migration_type": migration_type, **fields}
        if size is not None:
            form |= {"pre_attachment[name]": "course.imscc", "pre_attachment[size]": size}
        response = self.post(f"/api/v1/{context}/content_migrations", form)
        assert response.status_code == 200, response.text
        return response.json()

    def send(self, migration: Any, data: bytes, **changed: str) -> requests.Response:
        """The second step of an upload: the file to where the migration says, and no credential."""
        step = migration["pre_attachment"]
        return requests.post(
            step["upload_url"],
            data={**step["upload_params"], **changed},
            files={step["file_param"]: ("course.imscc", data)},
            allow_redirects=False,
            timeout=20,
        )

    def complete(self, sent: requests.Response) -> requests.Response:
        """The third step: back to Canvas."""
        return self.get(sent.headers["Location"])

    def show_migration(self, migration: Any, context: str = "courses/102") -> Any:
        return self.get(f"/api/v1/{context}/content_migrations/{migration['id']}").json()

    def restore(
        self,
        data: bytes,
        context: str = "courses/102",
        migration_type: str = "canvas_cartridge_importer",
        **fields: Any,
    ) -> Any:
        """The migration after a package was uploaded and a minute has passed."""
        migration = self.migrate(migration_type, context, len(data), **fields)
        assert self.complete(self.send(migration, data)).status_code == 200
        self.canvas.advance(60)
        return self.show_migration(migration, context)

    def fetched(self, migration: Any, context: str = "courses/102") -> Any:
        """The migration once its file has been fetched, or could not be, and a minute has passed since."""
        deadline = time.monotonic() + 30
        while self.canvas.world.migrations.fetching and time.monotonic() < deadline:
            time.sleep(0.005)
        self.canvas.advance(60)
        return self.show_migration(migration, context)

    def issues(self, migration: Any) -> Any:
        return self.get(migration["migration_issues_url"], params={"per_page": 100}).json()

    def exported(
        self, export_type: str = "common_cartridge", context: str = "courses/101", **fields: Any
    ) -> bytes:
        """The bytes of a new export."""
        return self.download(self.finish(self.create(export_type, context, **fields), context)).content

    def names(self, listing: str, course: int = 102) -> list[str]:
        """What a course lists, by name or title."""
        rows = self.get(f"/api/v1/courses/{course}/{listing}", params={"per_page": 100}).json()
        return [row.get("name") or row.get("title") or row["display_name"] for row in rows]

    def package(
        self, export_type: str = "common_cartridge", context: str = "courses/101", **fields: Any
    ) -> zipfile.ZipFile:
        """The package of a new export."""
        export = self.finish(self.create(export_type, context, **fields), context)
        return zipfile.ZipFile(io.BytesIO(self.download(export).content))

    def close(self) -> None:
        self._session.close()


Start = Callable[..., Sandbox]
Call = Callable[..., Caller]
