"""Say in one line what changed from one copy to the next, from their manifests alone: nothing of a package is read."""

from __future__ import annotations

from collections.abc import Mapping

from canvas_exports.core.text.wording import format_size

# The counts of a proof that a person knows, each as one and as many.
_KINDS = {
    "pages": ("page", "pages"),
    "assignments": ("assignment", "assignments"),
    "discussions": ("discussion", "discussions"),
    "announcements": ("announcement", "announcements"),
    "quizzes": ("quiz", "quizzes"),
    "questions": ("question", "questions"),
    "question_banks": ("question bank", "question banks"),
    "modules": ("module", "modules"),
    "module_items": ("module item", "module items"),
    "files": ("file", "files"),
    "web_links": ("web link", "web links"),
    "tools": ("external tool", "external tools"),
    "rubrics": ("rubric", "rubrics"),
    "outcomes": ("outcome", "outcomes"),
    "events": ("event", "events"),
    "syllabus": ("syllabus", "syllabuses"),
}
#: What is said of packages whose contents differ, and whose counts do not tell how.
CONTENT_CHANGED = "the content changed"
_LEAST = 50_000  # bytes of a difference that is told


def change_in_words(
    before: Mapping[str, int], after: Mapping[str, int], *, is_same: bool = False, more_bytes: int = 0
) -> str:
    """Return what changed, such as ``2 pages more, 1 file fewer, 3.1 MB more``, ``the content changed`` or ``nothing changed``.

    Counts tell what came or went, not what was changed or exchanged; ``compare_copies`` does. Kinds that only one of the proofs
    counted are left out, because a deeper proof counts more kinds.

    Args:
        before: counts in the manifest of the first copy.
        after: counts in that of the second.
        is_same: whether their content digests are equal, see ``compare.has_equal_content``.
        more_bytes: how much larger the second package is; a negative number if it is smaller.
    """
    if is_same:
        return "nothing changed"
    parts = []
    for kind, (one, many) in _KINDS.items():
        difference = after.get(kind, 0) - before.get(kind, 0)
        if difference and kind in before and kind in after:
            number = abs(difference)
            parts.append(f"{number:,} {one if number == 1 else many} {'more' if difference > 0 else 'fewer'}")
    if abs(more_bytes) >= _LEAST:
        parts.append(f"{format_size(abs(more_bytes))} {'more' if more_bytes > 0 else 'less'}")
    return ", ".join(parts) or CONTENT_CHANGED
