"""Lessons on a subject, as teachers write them: a home page, a syllabus, pages with links and a picture, a quiz, a rubric."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from canvas_sandbox.content.model import Criterion, Kind, Question
from canvas_sandbox.content.pictures import picture

Add = Callable[..., int]
"""Adds an item of a kind with a title and fields, and returns its id."""

VIDEO_HOSTS = ("videos.example.org", "media.example.edu", "lectures.example.net")
"""A course links to films on one of them."""
LIBRARY = "https://library.example.edu"
READING_PAGE = "Reading list"
_CHART = "Results of last year.png"
_CRITERIA = (
    Criterion("Argument", (("Clear and supported", 10.0), ("Partly supported", 6.0), ("Missing", 0.0))),
    Criterion("Sources", (("Five or more", 5.0), ("Fewer than five", 2.0), ("None", 0.0))),
)


def add_pictures(add: Add, root: int, subject: str) -> dict[str, int]:
    """Add a folder with a picture. Returns the ids of the files by title."""
    folder = add(Kind.FOLDER, "Pictures", parent=root)
    size = len(picture(subject))
    return {_CHART: add(Kind.FILE, _CHART, parent=folder, size=size, picture=subject)}


def add_lessons(add: Add, subject: str, pictures: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """Add the lessons. Returns the settings of the course, with its syllabus."""
    name, host = escape(subject), VIDEO_HOSTS[zlib.crc32(subject.encode()) % len(VIDEO_HOSTS)]
    slug = f"{zlib.crc32(subject.encode()):08x}"
    module = add(Kind.MODULE, "Orientation")
    pages: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (f"Welcome to {subject}", _welcome(name, host, slug), {"settings": (("front_page", "true"),)}),
        (READING_PAGE, _readings(name, slug), {}),
        ("How we work with data", _data(name), {"links": tuple(pictures.values())}),
    )
    for title, html, fields in pages:
        page = add(Kind.PAGE, title, html=html, **fields)
        add(Kind.MODULE_ITEM, title, parent=module, target=page)
    questions = _questions(subject)
    points = (("points_possible", str(sum(question.points for question in questions))),)
    about = f"Four questions about the first weeks of {subject}. You may try twice."
    quiz = add(Kind.QUIZ, "Check your understanding", body=about, questions=questions, settings=points)
    add(Kind.MODULE_ITEM, "Check your understanding", parent=module, target=quiz)
    add(Kind.DISCUSSION, "Questions about the course", html=_discussion(name))
    add(Kind.RUBRIC, "Project rubric", criteria=_CRITERIA, settings=(("points_possible", "15.0"),))
    add(Kind.OUTCOME, f"Explains a result in {subject}")
    launch = (("launch_url", f"https://polls.example.com/launch/{slug}"),)
    add(Kind.TOOL, "Polls in class", body="Questions during the lecture.", settings=launch)
    return (
        ("default_view", "wiki"),
        ("license", "private"),
        ("time_zone", "America/Chicago"),
        ("syllabus_body", _syllabus(name)),
    )


def _welcome(name: str, host: str, slug: str) -> str:
    return (
        f"<h2>Welcome</h2>\n<p>This is the home page of <strong>{name}</strong>. Begin with the "
        '<a href="$WIKI_REFERENCE$/pages/reading-list">reading list</a>, then work through the '
        '<a href="$CANVAS_COURSE_REFERENCE$/modules">modules</a> in order.</p>\n'
        f'<p>The lectures are recorded: <a href="https://{host}/{slug}/lecture-1">Lecture 1</a>, '
        f'<a href="https://{host}/{slug}/lecture-2">Lecture 2</a>.</p>\n'
        '<table border="1"><tbody><tr><th>Part</th><th>Weeks</th></tr><tr><td>Foundations</td><td>1 to 4</td></tr>'
        "<tr><td>Project</td><td>5 to 10</td></tr></tbody></table>"
    )


def _readings(name: str, slug: str) -> str:
    return (
        f"<p>The books of {name} are in the library; bring the first one to the first lecture.</p>\n<ul>\n"
        f'<li><a href="{LIBRARY}/record/{slug}">An introduction</a>, chapters 1 to 3, for week 1</li>\n'
        f'<li><a href="{LIBRARY}/record/{slug}-2">A companion</a>, chapter 4, for week 2</li>\n</ul>\n'
        "<p>Questions? Ask in the discussion <em>Questions about the course</em>.</p>"
    )


def _data(name: str) -> str:
    return (
        f"<h3>Results of last year</h3>\n<p>In {name} every claim needs a figure, and every figure needs its data.</p>\n"
        '<p><img src="$IMS-CC-FILEBASE$/Pictures/Results%20of%20last%20year.png" alt="Results of last year, by week" '
        'width="480" height="270"></p>'
    )


def _discussion(name: str) -> str:
    return f"<p>Ask anything about {name} here. Somebody answers within a day, <strong>usually</strong> sooner.</p>"


def _syllabus(name: str) -> str:
    return (
        f"<h2>{name}</h2>\n<p>Two lectures and one seminar a week. The essay counts 40%, the project 60%.</p>\n"
        "<p>Late work loses 10% a day. Office hours: Tuesday, 14:00 to 16:00.</p>"
    )


def _questions(subject: str) -> tuple[Question, ...]:
    return (
        Question(
            1,
            f"Which of these does {subject} need for a claim?",
            ("A figure", "A footnote", "A vote"),
            0,
            2.0,
        ),
        Question(2, "The project counts more than the essay.", ("True", "False"), 0, 1.0, "true_false"),
        Question(3, "How many lectures are there in a week?", ("2", "two"), 0, 1.0, "short_answer"),
        Question(4, "Describe a result of last year, and what supports it.", (), 0, 6.0, "essay"),
    )
