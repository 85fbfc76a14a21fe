"""What each kind of edit shows: whether it moves ``updated_at`` of the course, and where else the API shows it.

The table is that of Canvas's sources of 2018 to 2025. Much that a cartridge contains does not move ``updated_at``, and much
that moves it is in no cartridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from canvas_sandbox.content.model import Content, Kind


class Source(str, Enum):
    """A part of the API, besides ``updated_at`` of the course, that may show an edit.

    Of a connection of GraphQL it means ``_id`` and ``updatedAt`` of its nodes, and ``position`` of modules, assignments and
    discussions. Rubrics have no ``updatedAt``, so of them it means title and criteria; that of a discussion moves with every
    reply, and is left out. The others are paths below ``/api/v1/courses/:id``.
    """

    MODULES = "modulesConnection"
    QUIZZES = "quizzesConnection"
    ASSIGNMENT_GROUPS = "assignmentGroupsConnection"
    ASSIGNMENTS = "assignmentsConnection"
    RUBRICS = "rubricsConnection"
    FOLDERS = "foldersConnection"
    FILES = "filesConnection"
    PAGES = "pagesConnection"
    DISCUSSIONS = "discussionsConnection"
    TOOLS = "externalToolsConnection"
    COUNTS = "content_list"
    TITLES = "content_list?type="
    LATE_POLICY = "late_policy"
    GRADING_STANDARDS = "grading_standards"
    RUBRIC_LIST = "rubrics"


class EditKind(str, Enum):
    """A kind of edit, or of another change to a course."""

    PAGE_SAVED = "page_saved"
    FRONT_PAGE_SET = "front_page_set"
    ASSIGNMENT_SAVED = "assignment_saved"
    ASSIGNMENT_GROUP_SAVED = "assignment_group_saved"
    DISCUSSION_SAVED = "discussion_saved"
    ANNOUNCEMENT_SAVED = "announcement_saved"
    QUIZ_SAVED = "quiz_saved"
    FILE_SAVED = "file_saved"
    FOLDER_SAVED = "folder_saved"
    MODULE_SAVED = "module_saved"
    MODULES_REORDERED = "modules_reordered"
    MODULE_ITEM_ADDED = "module_item_added"
    MODULE_ITEM_MOVED = "module_item_moved"
    TOOL_SAVED = "tool_saved"
    EVENT_SAVED = "event_saved"
    OUTCOME_LINKED = "outcome_linked"
    SYLLABUS_SAVED = "syllabus_saved"
    SETTINGS_SAVED = "settings_saved"
    IMPORT_ENDED = "import_ended"
    ENROLLED = "enrolled"
    SAVED_UNCHANGED = "saved_unchanged"

    ASSIGNMENTS_REORDERED = "assignments_reordered"
    ASSIGNMENT_REGROUPED = "assignment_regrouped"
    TOPICS_REORDERED = "topics_reordered"
    QUESTIONS_EDITED = "questions_edited"
    BANK_ADDED = "bank_added"
    BANK_REMOVED = "bank_removed"
    BANK_RENAMED = "bank_renamed"
    BANK_QUESTIONS_EDITED = "bank_questions_edited"
    USAGE_RIGHTS_SET = "usage_rights_set"
    CAPTIONS_ADDED = "captions_added"
    MODULE_ITEM_REMOVED = "module_item_removed"
    MODULE_ITEM_EDITED = "module_item_edited"
    MODULE_ITEM_CREATED_BY_API = "module_item_created_by_api"
    RUBRIC_ADDED = "rubric_added"
    RUBRIC_REMOVED = "rubric_removed"
    RUBRIC_EDITED = "rubric_edited"
    RUBRIC_ASSOCIATED = "rubric_associated"
    OUTCOME_EDITED = "outcome_edited"
    LATE_POLICY_SET = "late_policy_set"
    GRADING_STANDARD_SAVED = "grading_standard_saved"
    OVERRIDE_SET = "override_set"
    NEW_QUIZ_EDITED = "new_quiz_edited"
    ACCOUNT_OUTCOME_EDITED = "account_outcome_edited"
    IMPORT_FAILED_HALF_WAY = "import_failed_half_way"
    REPLIED = "replied"


@dataclass(frozen=True)
class Shown:
    """What an edit shows.

    Attributes:
        moves_course: Whether ``updated_at`` of the course moves.
        seen_in: Where else it is seen, however small it is.
        in_package: Whether a cartridge contains what was edited.
    """

    moves_course: bool
    seen_in: frozenset[Source] = frozenset()
    in_package: bool = True


def _moves(*sources: Source, in_package: bool = True) -> Shown:
    return Shown(moves_course=True, seen_in=frozenset(sources), in_package=in_package)


def _stays(*sources: Source, in_package: bool = True) -> Shown:
    return Shown(moves_course=False, seen_in=frozenset(sources), in_package=in_package)


SHOWN: dict[EditKind, Shown] = {
    EditKind.PAGE_SAVED: _moves(Source.PAGES),
    EditKind.FRONT_PAGE_SET: _moves(Source.PAGES),
    EditKind.ASSIGNMENT_SAVED: _moves(Source.ASSIGNMENTS),
    EditKind.ASSIGNMENT_GROUP_SAVED: _moves(Source.ASSIGNMENT_GROUPS),
    EditKind.DISCUSSION_SAVED: _moves(),
    EditKind.ANNOUNCEMENT_SAVED: _moves(),
    EditKind.QUIZ_SAVED: _moves(Source.QUIZZES),
    EditKind.FILE_SAVED: _moves(Source.FILES),
    EditKind.FOLDER_SAVED: _moves(Source.FOLDERS),
    EditKind.MODULE_SAVED: _moves(Source.MODULES),
    EditKind.MODULES_REORDERED: _moves(Source.MODULES),
    EditKind.MODULE_ITEM_ADDED: _moves(Source.MODULES),
    EditKind.MODULE_ITEM_MOVED: _moves(Source.MODULES),
    EditKind.TOOL_SAVED: _moves(Source.TOOLS),
    EditKind.EVENT_SAVED: _moves(),
    EditKind.OUTCOME_LINKED: _moves(Source.COUNTS, Source.TITLES),
    EditKind.SYLLABUS_SAVED: _moves(),
    EditKind.SETTINGS_SAVED: _moves(),
    EditKind.IMPORT_ENDED: _moves(Source.PAGES, Source.COUNTS, Source.TITLES),
    EditKind.ENROLLED: _moves(in_package=False),
    EditKind.SAVED_UNCHANGED: _moves(in_package=False),
    EditKind.ASSIGNMENTS_REORDERED: _stays(Source.ASSIGNMENT_GROUPS, Source.ASSIGNMENTS),
    EditKind.ASSIGNMENT_REGROUPED: _stays(Source.ASSIGNMENT_GROUPS, Source.ASSIGNMENTS),
    EditKind.TOPICS_REORDERED: _stays(Source.DISCUSSIONS),
    EditKind.QUESTIONS_EDITED: _stays(Source.QUIZZES),
    EditKind.BANK_ADDED: _stays(Source.COUNTS, Source.TITLES),
    EditKind.BANK_REMOVED: _stays(Source.COUNTS, Source.TITLES),
    EditKind.BANK_RENAMED: _stays(Source.TITLES),
    EditKind.BANK_QUESTIONS_EDITED: _stays(),
    EditKind.USAGE_RIGHTS_SET: _stays(),
    EditKind.CAPTIONS_ADDED: _stays(),
    EditKind.MODULE_ITEM_REMOVED: _stays(Source.MODULES),
    EditKind.MODULE_ITEM_EDITED: _stays(Source.MODULES),
    EditKind.MODULE_ITEM_CREATED_BY_API: _stays(Source.MODULES),
    EditKind.RUBRIC_ADDED: _stays(Source.RUBRICS, Source.RUBRIC_LIST, Source.COUNTS, Source.TITLES),
    EditKind.RUBRIC_REMOVED: _stays(Source.RUBRICS, Source.RUBRIC_LIST, Source.COUNTS, Source.TITLES),
    EditKind.RUBRIC_EDITED: _stays(Source.RUBRICS, Source.RUBRIC_LIST),
    EditKind.RUBRIC_ASSOCIATED: _stays(),
    EditKind.OUTCOME_EDITED: _stays(),
    EditKind.LATE_POLICY_SET: _stays(Source.LATE_POLICY),
    EditKind.GRADING_STANDARD_SAVED: _stays(Source.GRADING_STANDARDS),
    EditKind.OVERRIDE_SET: _stays(Source.ASSIGNMENTS),
    EditKind.NEW_QUIZ_EDITED: _stays(),
    EditKind.ACCOUNT_OUTCOME_EDITED: _stays(),
    EditKind.IMPORT_FAILED_HALF_WAY: _stays(Source.PAGES, Source.COUNTS, Source.TITLES),
    EditKind.REPLIED: _stays(in_package=False),
}
"""What every kind of edit shows. An edit that stays, is in the package and is seen nowhere cannot be found but by an export."""

_ADDED = {
    Kind.FOLDER: EditKind.FOLDER_SAVED,
    Kind.FILE: EditKind.FILE_SAVED,
    Kind.PAGE: EditKind.PAGE_SAVED,
    Kind.ASSIGNMENT: EditKind.ASSIGNMENT_SAVED,
    Kind.ASSIGNMENT_GROUP: EditKind.ASSIGNMENT_GROUP_SAVED,
    Kind.QUIZ: EditKind.QUIZ_SAVED,
    Kind.DISCUSSION: EditKind.DISCUSSION_SAVED,
    Kind.ANNOUNCEMENT: EditKind.ANNOUNCEMENT_SAVED,
    Kind.EVENT: EditKind.EVENT_SAVED,
    Kind.RUBRIC: EditKind.RUBRIC_ADDED,
    Kind.OUTCOME: EditKind.OUTCOME_LINKED,
    Kind.TOOL: EditKind.TOOL_SAVED,
    Kind.MODULE: EditKind.MODULE_SAVED,
    Kind.MODULE_ITEM: EditKind.MODULE_ITEM_ADDED,
    Kind.BANK: EditKind.BANK_ADDED,
    Kind.GRADING_STANDARD: EditKind.GRADING_STANDARD_SAVED,
}
_REMOVED = _ADDED | {
    Kind.RUBRIC: EditKind.RUBRIC_REMOVED,
    Kind.MODULE_ITEM: EditKind.MODULE_ITEM_REMOVED,
    Kind.BANK: EditKind.BANK_REMOVED,
}
_CHANGED = _ADDED | {
    Kind.RUBRIC: EditKind.RUBRIC_EDITED,
    Kind.OUTCOME: EditKind.OUTCOME_EDITED,
    Kind.MODULE_ITEM: EditKind.MODULE_ITEM_EDITED,
    Kind.BANK: EditKind.BANK_QUESTIONS_EDITED,
}
_MOVED = _CHANGED | {
    Kind.MODULE: EditKind.MODULES_REORDERED,
    Kind.MODULE_ITEM: EditKind.MODULE_ITEM_MOVED,
    Kind.DISCUSSION: EditKind.TOPICS_REORDERED,
    Kind.ASSIGNMENT: EditKind.ASSIGNMENTS_REORDERED,
}
_OF_FIELDS = {
    (Kind.BANK, "title"): EditKind.BANK_RENAMED,
    (Kind.FILE, "usage_rights"): EditKind.USAGE_RIGHTS_SET,
    (Kind.FILE, "captions"): EditKind.CAPTIONS_ADDED,
    (Kind.ASSIGNMENT, "overrides"): EditKind.OVERRIDE_SET,
}
_UNTOUCHED = frozenset(
    {
        EditKind.TOPICS_REORDERED,
        EditKind.USAGE_RIGHTS_SET,
        EditKind.CAPTIONS_ADDED,
        EditKind.RUBRIC_ASSOCIATED,
        EditKind.NEW_QUIZ_EDITED,
    }
)


def kind_of_adding(kind: Kind) -> EditKind:
    """Return the kind of edit that adds an item."""
    return _ADDED[kind]


def kind_of_removing(kind: Kind) -> EditKind:
    """Return the kind of edit that removes an item."""
    return _REMOVED[kind]


def kind_of_moving(kind: Kind, *, elsewhere: bool) -> EditKind:
    """Return the kind of edit that moves an item, possibly into another module or group."""
    if elsewhere and kind is Kind.ASSIGNMENT:
        return EditKind.ASSIGNMENT_REGROUPED
    return _MOVED[kind]


def kind_of_changing(kind: Kind, fields: frozenset[str], *, new_quiz: bool) -> EditKind:
    """Return the kind of edit that changes some fields of an item, by the names of the fields."""
    if new_quiz and fields == {"questions"}:
        return EditKind.NEW_QUIZ_EDITED
    only = next(iter(fields)) if len(fields) == 1 else ""
    return _OF_FIELDS.get((kind, only), _CHANGED[kind])


def touched(edit: EditKind, before: Content, after: Content, number: int) -> set[int]:
    """Return the items whose own ``updated_at`` an edit of an item moves."""
    if edit in _UNTOUCHED:
        return set()
    found = set() if edit is EditKind.ASSIGNMENTS_REORDERED else {number}
    for content in (before, after):
        item = content.items.get(number)
        if item is not None and item.parent is not None and _is_held(item.kind, edit):
            found.add(item.parent)
    return found


def _is_held(kind: Kind, edit: EditKind) -> bool:
    """Return whether an edit touches what holds the item: a module, or a group whose assignments are reordered."""
    reordered = (EditKind.ASSIGNMENTS_REORDERED, EditKind.ASSIGNMENT_REGROUPED)
    return kind is Kind.MODULE_ITEM or edit in reordered
