"""Derive what the pages ask for from what was read: problems, the list of courses, storage by week."""

from __future__ import annotations

import sqlite3

# told: the outcomes by the context they are about: that in whose folder the package lies; for an SIS id, the course with the
# newest copy that has it; else the context as the report names it. As catalog.coverage has it.
_OUTCOMES = """
CREATE TEMP TABLE told AS SELECT coalesce(
    stored_as,
    CASE WHEN substr(context, 1, 21) = 'course:sis_course_id:' THEN (
        SELECT known.context FROM contexts AS known
        WHERE known.kind = 'course' AND known.sis_id = substr(outcomes.context, 22)
        ORDER BY known.newest DESC, known.context DESC LIMIT 1
    ) END,
    context
) AS about, * FROM outcomes;

CREATE INDEX temp.told_about ON told (about, type);

CREATE TEMP TABLE promises (about TEXT, type TEXT, max_age INTEGER, PRIMARY KEY (about, type)) WITHOUT ROWID;

INSERT INTO promises SELECT about, type, min(max_age) FROM told WHERE max_age IS NOT NULL GROUP BY about, type;

CREATE TEMP TABLE latest (
    about TEXT, type TEXT, place TEXT, at INTEGER, outcome TEXT, reason TEXT, next_step TEXT, report TEXT, name TEXT,
    title TEXT, sis_id TEXT, term TEXT, PRIMARY KEY (about, type)
) WITHOUT ROWID;

INSERT INTO latest SELECT about, type, max(place), at, outcome, reason, next_step, report, name, title, sis_id, term
FROM told GROUP BY about, type;

CREATE TEMP TABLE latest_type (about TEXT PRIMARY KEY, place TEXT, type TEXT) WITHOUT ROWID;

INSERT INTO latest_type SELECT about, max(place), type FROM latest GROUP BY about;
"""

# A context whose manifests cannot be read has the type '' until a report names one. One that was never stored is known from
# reports alone; not if it was mistyped in the form of a manual export.
_PROBLEMS = """
DELETE FROM problems;

INSERT OR IGNORE INTO problems SELECT
    assessed.context, coalesce(nullif(assessed.type, ''), latest_type.type, '') AS of_type, newest, proven, why <> '', why,
    coalesce(assessed.name, latest.name, latest.title), promises.max_age, proven + promises.max_age,
    CASE WHEN why <> '' THEN coalesce(
        (SELECT min(at) FROM failures WHERE about = assessed.context AND at > coalesce(proven, 0)),
        latest.at, newest
    ) ELSE proven + promises.max_age END,
    outcome, reason, next_step, report
FROM assessed
LEFT JOIN latest_type ON assessed.type = '' AND latest_type.about = assessed.context
LEFT JOIN promises ON promises.about = assessed.context
    AND promises.type = coalesce(nullif(assessed.type, ''), latest_type.type, '')
LEFT JOIN latest ON latest.about = assessed.context
    AND latest.type = coalesce(nullif(assessed.type, ''), latest_type.type, '');

INSERT OR IGNORE INTO problems SELECT
    told.about, told.type, NULL, NULL, 1, 'the archive holds no copy', coalesce(told.name, told.title), promises.max_age, NULL,
    coalesce((SELECT min(at) FROM failures WHERE failures.about = told.about AND failures.type = told.type), told.at),
    told.outcome, told.reason, told.next_step, told.report
FROM (
    SELECT about, type, max(place), at, outcome, reason, next_step, report, name, title FROM told
    WHERE NOT mistyped GROUP BY about, type
) AS told LEFT JOIN promises ON promises.about = told.about AND promises.type = told.type;
"""

_COURSES = """
CREATE TEMP TABLE worst (
    context TEXT PRIMARY KEY, missing INTEGER, why TEXT, promised INTEGER, max_age INTEGER, proven INTEGER, due INTEGER
) WITHOUT ROWID;

INSERT INTO worst SELECT
    context, max(missing), max(why), max(max_age IS NOT NULL), min(max_age),
    CASE WHEN max(proven IS NULL) THEN NULL ELSE min(proven) END,
    CASE WHEN max(max_age IS NOT NULL AND proven IS NULL) THEN NULL ELSE min(due) END
FROM problems GROUP BY context;

DELETE FROM courses;

INSERT INTO courses SELECT
    contexts.context, kind, id, name, course_code, sis_id, account, term, why, newest, proven, missing, promised, due, max_age,
    copies, packages, bytes, verified, drilled, held,
    folded(coalesce(name, ''), coalesce(course_code, ''), coalesce(sis_id, ''), coalesce(term, ''), contexts.context)
FROM contexts JOIN worst ON worst.context = contexts.context;

INSERT INTO courses SELECT
    worst.context, substr(worst.context, 1, instr(worst.context, ':') - 1), number_of(worst.context), title, name, sis_id, NULL,
    term, why, NULL, proven, missing, promised, due, max_age, 0, 0, 0, NULL, NULL, 0,
    folded(coalesce(title, ''), coalesce(name, ''), coalesce(sis_id, ''), coalesce(term, ''), worst.context)
FROM worst JOIN latest_type ON latest_type.about = worst.context
JOIN latest ON latest.about = worst.context AND latest.type = latest_type.type
WHERE worst.context NOT IN (SELECT context FROM contexts);
"""

_STORAGE = """
DELETE FROM weeks;

INSERT INTO weeks SELECT term, type, week, sum(growth.bytes)
FROM growth JOIN contexts ON contexts.context = growth.context GROUP BY term, type, week;

DELETE FROM groups;

INSERT INTO groups SELECT term, type, count(DISTINCT growth.context), sum(growth.copies), sum(growth.packages), sum(growth.bytes)
FROM growth JOIN contexts ON contexts.context = growth.context GROUP BY term, type;
"""

_TEMPORARY = ("told", "promises", "latest", "latest_type", "worst")
_DIGITS = 18


def derive(writer: sqlite3.Connection) -> None:
    """Write the derived tables anew, within a transaction of the caller."""
    writer.create_function("folded", -1, _folded, deterministic=True)
    writer.create_function("number_of", 1, _number_of, deterministic=True)
    _drop(writer)
    for script in (_OUTCOMES, _PROBLEMS, _COURSES, _STORAGE):
        for statement in script.split(";\n"):
            if statement.strip():
                writer.execute(statement)
    _drop(writer)


def _drop(writer: sqlite3.Connection) -> None:
    for table in _TEMPORARY:
        writer.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _folded(*texts: str) -> str:
    return "\n".join(texts).casefold()


def _number_of(context: str) -> int | None:
    """Return the number in ``course:101``; ``None`` if it has another id, or one too large for a column."""
    number = context.rpartition(":")[2]
    known = context.count(":") == 1 and number.isascii() and number.isdigit() and len(number) <= _DIGITS
    return int(number) if known else None
