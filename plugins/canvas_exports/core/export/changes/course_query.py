"""Build the GraphQL queries that read many courses at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canvas_exports.core.canvas.api.graphql import LARGEST_PAGE, GraphQLQuery
from canvas_exports.core.export.changes.fingerprint import ContentList, Rules
from canvas_exports.core.model.contexts import Context, ContextKind

_SIS, _SIS_ACCOUNT = "sis_course_id:", "sis_account_id:"


def can_be_read(context: Context) -> bool:
    """Return whether GraphQL finds a context: a course by its number or its SIS id."""
    is_course = context.kind is ContextKind.COURSE
    return is_course and (context.canvas_id is not None or context.id.startswith(_SIS))


def first_pages(courses: Sequence[Context], rules: Rules) -> GraphQLQuery:
    """Return the query for ``updated_at`` and the first page of every list, with the aliases ``c0``, ``c1``, ..."""
    selection = " ".join(each.selection() for each in rules.lists)
    fields = [f"{_course(at, course)} {{ _id updatedAt ...Lists }}" for at, course in enumerate(courses)]
    return GraphQLQuery(
        f"query({_declared(courses)}) {{ {' '.join(fields)} }} fragment Lists on Course {{ {selection} }}",
        _ids(courses),
    )


def next_pages(courses: Sequence[tuple[Context, Mapping[ContentList, str | None]]]) -> GraphQLQuery:
    """Return the query for the next page of the pending lists of each course, by the cursors given."""
    contexts = [course for course, _ in courses]
    declared, fields, variables = [_declared(contexts)], [], _ids(contexts)
    for at, (course, pending) in enumerate(courses):
        pages = []
        for number, (each, cursor) in enumerate(pending.items()):
            name = f"a{at}_{number}"
            declared.append(f"${name}: String")
            variables[name] = cursor
            pages.append(each.selection(name))
        fields.append(f"{_course(at, course)} {{ _id {' '.join(pages)} }}")
    return GraphQLQuery(f"query({', '.join(declared)}) {{ {' '.join(fields)} }}", variables)


def account_page(account: str, after: str | None) -> GraphQLQuery:
    """Return the query for ``updated_at`` of a hundred courses of an account and its sub-accounts, which are in no order.

    Args:
        account: its number, or ``sis_account_id:...``.
        after: the cursor of the page; ``None`` for the first.
    """
    name, kind = ("sisId", "String") if account.startswith(_SIS_ACCOUNT) else ("id", "ID")
    page = f"first: {LARGEST_PAGE}, after: $after"
    nodes = "nodes { _id updatedAt } pageInfo { hasNextPage endCursor }"
    return GraphQLQuery(
        f"query($account: {kind}, $after: String) "
        f"{{ account({name}: $account) {{ coursesConnection({page}) {{ {nodes} }} }} }}",
        {"account": account.removeprefix(_SIS_ACCOUNT), "after": after},
    )


def _is_sis(course: Context) -> bool:
    return course.canvas_id is None


def _course(at: int, course: Context) -> str:
    return f"c{at}: course({'sisId' if _is_sis(course) else 'id'}: $c{at})"


def _declared(courses: Sequence[Context]) -> str:
    return ", ".join(f"$c{at}: {'String' if _is_sis(each) else 'ID'}" for at, each in enumerate(courses))


def _ids(courses: Sequence[Context]) -> dict[str, str | int | None]:
    return {f"c{at}": each.id.removeprefix(_SIS) for at, each in enumerate(courses)}
