"""Shared texts in memory, for tests of leases and shared tokens."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MemoryTexts:
    """Short texts by name, as Airflow's variables keep them."""

    texts: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def read(self, name: str) -> str | None:
        return self.texts.get(name)

    def write(self, name: str, text: str, description: str) -> None:
        assert description
        self.written.append(name)
        self.texts[name] = text

    def remove(self, name: str) -> None:
        self.texts.pop(name, None)
