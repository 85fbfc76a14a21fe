"""The part of Canvas's GraphQL schema that is about the content of courses, in its own names."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import GraphQLObjectType, GraphQLSchema, build_schema

_ITEM_TYPES = {
    "Module": "name: String position: Int published: Boolean",
    "Quiz": "",
    "AssignmentGroup": "name: String position: Int groupWeight: Float",
    "Assignment": "name: String position: Int isNewQuiz: Boolean! submissionTypes: [String!] "
    "assignmentGroup: AssignmentGroup",
    "Folder": "name: String! fullName: String! parentFolderId: ID position: Int",
    "File": "displayName: String contentType: String",
    "Page": "title: String",
    "Discussion": "title: String position: Int isAnnouncement: Boolean",
    "ExternalTool": "name: String description: String url: String",
}
"""Fields of the types that have ``createdAt`` and ``updatedAt``. Rubrics have not."""

_TYPES = """
scalar DateTime

interface Node { id: ID! }

interface Timestamped { createdAt: DateTime updatedAt: DateTime }

type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }

input AssignmentFilter { gradingPeriodId: ID userId: ID searchTerm: String }

enum CourseWorkflowState { created claimed available completed deleted }

type Query {
  account(id: ID, sisId: String): Account
  course(id: ID, sisId: String): Course
}

type Account implements Node {
  id: ID!
  _id: ID!
  name: String
  sisId: String
  coursesConnection(first: Int, last: Int, after: String, before: String): CourseConnection
  subAccountsConnection(first: Int, last: Int, after: String, before: String): AccountConnection
}

type RubricRating { _id: ID! description: String longDescription: String points: Float! rubricId: ID! }

type RubricCriterion { _id: ID! description: String longDescription: String points: Float ratings: [RubricRating!] }

type Rubric implements Node {
  id: ID!
  _id: ID!
  title: String
  pointsPossible: Float
  criteriaCount: Int!
  criteria: [RubricCriterion!]!
  workflowState: String!
  hasRubricAssociations: Boolean!
}
"""

CONNECTIONS = {
    "modulesConnection": "Module",
    "quizzesConnection": "Quiz",
    "assignmentGroupsConnection": "AssignmentGroup",
    "assignmentsConnection": "Assignment",
    "rubricsConnection": "Rubric",
    "foldersConnection": "Folder",
    "filesConnection": "File",
    "pagesConnection": "Page",
    "discussionsConnection": "Discussion",
    "externalToolsConnection": "ExternalTool",
}
"""The connections of a course, and the types of their nodes."""

_PAGE = "first: Int, last: Int, after: String, before: String"
_FILTERS = {"assignmentsConnection": ", filter: AssignmentFilter"}
_STAMPS = "id: ID! _id: ID! createdAt: DateTime updatedAt: DateTime"


def build(missing_fields: Sequence[str] = ()) -> GraphQLSchema:
    """Build the schema of a Canvas without some fields, each named as ``Type.field``."""
    parts = [_TYPES]
    parts += [
        f"type {name} implements Node & Timestamped {{ {_STAMPS} {fields} }}"
        for name, fields in _ITEM_TYPES.items()
    ]
    connections = " ".join(
        f"{field}({_PAGE}{_FILTERS.get(field, '')}): {name}Connection" for field, name in CONNECTIONS.items()
    )
    parts.append(
        f"type Course implements Node & Timestamped {{ {_STAMPS} name: String! courseCode: String sisId: String "
        f"state: CourseWorkflowState! account: Account {connections} }}"
    )
    parts += [
        f"type {name}Connection {{ edges: [{name}Edge] nodes: [{name}] pageInfo: PageInfo! }} "
        f"type {name}Edge {{ cursor: String! node: {name} }}"
        for name in ("Course", "Account", *CONNECTIONS.values())
    ]
    schema = build_schema("\n".join(parts))
    for type_name, _, field in (name.partition(".") for name in missing_fields):
        owner = schema.type_map[type_name]
        if not isinstance(owner, GraphQLObjectType) or field not in owner.fields:
            raise ValueError(f"the schema has no field {type_name}.{field}")
        del owner.fields[field]
    return schema
