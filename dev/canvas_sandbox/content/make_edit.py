"""One edit of any kind: which item it is made to, and what it makes of it, follow from the content and a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from canvas_sandbox.content import edits
from canvas_sandbox.content.edit_kinds import EditKind
from canvas_sandbox.content.edits import Edit
from canvas_sandbox.content.model import Content, Item, Kind

Planned = tuple[Edit, int]
"""An edit, and the item that it is made to; 0 for the course itself."""


def plan_edit(kind: EditKind, content: Content, seed: int, new_item: int) -> Planned | None:
    """Plan an edit of a kind. ``new_item`` is the id of the item that the edit adds, if it adds one.

    Returns ``None`` for a change that edits nothing, such as an enrolment.

    Raises:
        ValueError: the course holds nothing of which there could be such an edit.
    """
    if kind in (EditKind.ENROLLED, EditKind.SAVED_UNCHANGED):
        return None
    return _PLANS[kind](_Plan(content, random.Random(f"{kind.value}:{seed}"), new_item))


class _Plan:
    """The content before the edit, and what chooses among the possible edits."""

    def __init__(self, content: Content, dice: random.Random, new_item: int) -> None:
        self.content = content
        self.dice = dice
        self.new_item = new_item
        self.text = f"Edited {dice.getrandbits(32):08x}"

    def some(self, kind: Kind, test: Callable[[Item], bool] = lambda _: True) -> Item:
        """Return an item of the course's own."""
        found = [
            item
            for item in self.content.of(kind)
            if item.id != self.content.root and not item.migration_id and test(item)
        ]
        if not found:
            raise ValueError(f"the course holds none of its {kind.value} to which such an edit can be made")
        return self.dice.choice(found)

    def add(self, kind: Kind, **fields: Any) -> Planned:
        wanted = {"title": self.text, **fields}
        return partial(edits.add, number=self.new_item, kind=kind.value, fields=wanted), self.new_item

    def change(self, item: Item, **fields: Any) -> Planned:
        return partial(edits.change, number=item.id, fields=fields), item.id

    def remove(self, item: Item) -> Planned:
        return partial(edits.remove, number=item.id), item.id

    def move(self, item: Item, parent: int | None = None) -> Planned:
        """Move an item to another place than it has, or below another parent."""
        home = item.parent if parent is None else parent
        rest = [
            each.id
            for each in self.content.of(item.kind)
            if each.parent == home and (each.id != item.id or parent is None)
        ]
        place = rest.index(item.id) if item.id in rest else -1
        places = [number for number in range(max(1, len(rest))) if number != place]
        if not places:
            raise ValueError(f"there is no other place for {item.title!r}")
        return partial(edits.move, number=item.id, place=self.dice.choice(places), parent=parent), item.id

    def has_siblings(self, item: Item) -> bool:
        rows = [each for each in self.content.of(item.kind) if each.parent == item.parent]
        return len(rows) > 1

    def set_course(self, name: str, value: str) -> Planned:
        return partial(edits.set_course, settings={name: value}), 0

    def questions(self) -> list[Mapping[str, Any]]:
        return [{"number": 1, "text": f"{self.text}?", "answers": ["yes", "no"]}]

    def other_holder(self, item: Item, kind: Kind) -> int:
        """Return another module or group than the item's own."""
        return self.some(kind, lambda holder: holder.id != item.parent).id


def _saved(kind: Kind, *, text: str = "html", **fields: Any) -> Callable[[_Plan], Planned]:
    """Plan an edit of an item's text or title; a course that holds none gets one."""

    def make(plan: _Plan) -> Planned:
        value = f"<p>{plan.text}</p>" if text == "html" else plan.text
        try:
            return plan.change(plan.some(kind, lambda item: not item.is_new_quiz), **{text: value})
        except ValueError:
            return plan.add(kind, **fields)

    return make


def _front_page(plan: _Plan) -> Planned:
    page = plan.some(Kind.PAGE)
    now = dict(page.settings).get("front_page") == "true"
    return plan.change(page, settings={"front_page": "false" if now else "true"})


def _file(plan: _Plan) -> Planned:
    file = plan.some(Kind.FILE, lambda item: not item.picture)
    return plan.change(file, version=file.version + 1)


def _line(plan: _Plan) -> Planned:
    return plan.add(Kind.MODULE_ITEM, parent=plan.some(Kind.MODULE).id, target=plan.some(Kind.PAGE).id)


def _move_line(plan: _Plan) -> Planned:
    line = plan.some(Kind.MODULE_ITEM)
    return plan.move(line, plan.other_holder(line, Kind.MODULE))


def _edit_line(plan: _Plan) -> Planned:
    line = plan.some(Kind.MODULE_ITEM)
    settings = dict(line.settings)
    indent = int(settings.get("indent", "0")) + 1
    choices: tuple[dict[str, Any], ...] = (
        {"title": plan.text},
        {"settings": {"indent": str(indent)}},
        {"settings": {"new_tab": "false" if settings.get("new_tab") == "true" else "true"}},
    )
    return plan.change(line, **plan.dice.choice(choices))


def _regroup(plan: _Plan) -> Planned:
    item = plan.some(Kind.ASSIGNMENT, lambda each: not each.is_new_quiz)
    return plan.move(item, plan.other_holder(item, Kind.ASSIGNMENT_GROUP))


def _captions(plan: _Plan) -> Planned:
    file = plan.some(Kind.FILE)
    return plan.change(file, captions=[*file.captions, f"x-{plan.dice.getrandbits(32):08x}"])


def _override(plan: _Plan) -> Planned:
    item = plan.some(Kind.ASSIGNMENT, lambda each: not each.is_new_quiz)
    moment = f"2030-01-{plan.dice.randint(1, 28):02d}T{plan.dice.randint(0, 23):02d}:59:00"
    return plan.change(item, overrides=[*item.overrides, moment])


def _outcome(plan: _Plan) -> Planned:
    return plan.change(plan.some(Kind.OUTCOME), settings={"description": plan.text})


def _grading_standard(plan: _Plan) -> Planned:
    try:
        return plan.change(plan.some(Kind.GRADING_STANDARD), title=plan.text)
    except ValueError:
        return plan.add(Kind.GRADING_STANDARD, settings={"data": '[["A",0.9],["F",0.0]]'})


_PLANS: dict[EditKind, Callable[[_Plan], Planned]] = {
    EditKind.PAGE_SAVED: _saved(Kind.PAGE),
    EditKind.FRONT_PAGE_SET: _front_page,
    EditKind.ASSIGNMENT_SAVED: _saved(Kind.ASSIGNMENT),
    EditKind.ASSIGNMENT_GROUP_SAVED: _saved(Kind.ASSIGNMENT_GROUP, text="title"),
    EditKind.DISCUSSION_SAVED: _saved(Kind.DISCUSSION),
    EditKind.ANNOUNCEMENT_SAVED: _saved(Kind.ANNOUNCEMENT),
    EditKind.QUIZ_SAVED: _saved(Kind.QUIZ),
    EditKind.FILE_SAVED: _file,
    EditKind.FOLDER_SAVED: lambda plan: plan.add(Kind.FOLDER, parent=plan.content.root),
    EditKind.MODULE_SAVED: _saved(Kind.MODULE, text="title"),
    EditKind.MODULES_REORDERED: lambda plan: plan.move(plan.some(Kind.MODULE, plan.has_siblings)),
    EditKind.MODULE_ITEM_ADDED: _line,
    EditKind.MODULE_ITEM_MOVED: _move_line,
    EditKind.TOOL_SAVED: _saved(Kind.TOOL, text="body"),
    EditKind.EVENT_SAVED: _saved(Kind.EVENT, text="title"),
    EditKind.OUTCOME_LINKED: lambda plan: plan.add(Kind.OUTCOME),
    EditKind.SYLLABUS_SAVED: lambda plan: plan.set_course("syllabus_body", f"<p>{plan.text}</p>"),
    EditKind.SETTINGS_SAVED: lambda plan: plan.set_course("locale", plan.text),
    EditKind.IMPORT_ENDED: lambda plan: plan.add(Kind.PAGE, body="Imported."),
    EditKind.ASSIGNMENTS_REORDERED: lambda plan: plan.move(plan.some(Kind.ASSIGNMENT, plan.has_siblings)),
    EditKind.ASSIGNMENT_REGROUPED: _regroup,
    EditKind.TOPICS_REORDERED: lambda plan: plan.move(plan.some(Kind.DISCUSSION, plan.has_siblings)),
    EditKind.QUESTIONS_EDITED: lambda plan: plan.change(plan.some(Kind.QUIZ), questions=plan.questions()),
    EditKind.BANK_ADDED: lambda plan: plan.add(Kind.BANK, questions=plan.questions()),
    EditKind.BANK_REMOVED: lambda plan: plan.remove(plan.some(Kind.BANK)),
    EditKind.BANK_RENAMED: lambda plan: plan.change(plan.some(Kind.BANK), title=plan.text),
    EditKind.BANK_QUESTIONS_EDITED: lambda plan: plan.change(
        plan.some(Kind.BANK), questions=plan.questions()
    ),
    EditKind.USAGE_RIGHTS_SET: lambda plan: plan.change(plan.some(Kind.FILE), usage_rights=plan.text),
    EditKind.CAPTIONS_ADDED: _captions,
    EditKind.MODULE_ITEM_REMOVED: lambda plan: plan.remove(plan.some(Kind.MODULE_ITEM)),
    EditKind.MODULE_ITEM_EDITED: _edit_line,
    EditKind.MODULE_ITEM_CREATED_BY_API: _line,
    EditKind.RUBRIC_ADDED: lambda plan: plan.add(Kind.RUBRIC),
    EditKind.RUBRIC_REMOVED: lambda plan: plan.remove(plan.some(Kind.RUBRIC)),
    EditKind.RUBRIC_EDITED: lambda plan: plan.change(
        plan.some(Kind.RUBRIC), criteria=[[plan.text, [["Met", 5.0], ["Missed", 0.0]]]]
    ),
    EditKind.RUBRIC_ASSOCIATED: lambda plan: plan.change(
        plan.some(Kind.ASSIGNMENT, lambda item: not item.is_new_quiz),
        settings={"rubric_identifierref": plan.some(Kind.RUBRIC).key, "rubric_use_for_grading": plan.text},
    ),
    EditKind.OUTCOME_EDITED: _outcome,
    EditKind.LATE_POLICY_SET: lambda plan: plan.set_course("late_policy", f"{plan.dice.random() * 100:.6f}"),
    EditKind.GRADING_STANDARD_SAVED: _grading_standard,
    EditKind.OVERRIDE_SET: _override,
    EditKind.NEW_QUIZ_EDITED: lambda plan: plan.change(
        plan.some(Kind.ASSIGNMENT, lambda item: item.is_new_quiz), questions=plan.questions()
    ),
    EditKind.ACCOUNT_OUTCOME_EDITED: _outcome,
    EditKind.REPLIED: lambda plan: (lambda content: content, plan.some(Kind.DISCUSSION).id),
    EditKind.IMPORT_FAILED_HALF_WAY: lambda plan: plan.add(Kind.PAGE, body="Imported in part."),
}
