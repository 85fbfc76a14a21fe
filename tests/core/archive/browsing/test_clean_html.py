"""What becomes of a teacher's HTML: nothing of an attack, all of an honest text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.browsing.attacks import ATTACKS

from canvas_exports.core.archive.browsing.clean_html import MAX_SHOWN, Links, clean_html, outside_address
from canvas_exports.core.packages.content.model import Item, ItemKind

PICTURE = Item(ItemKind.FILE, "i1", "cat.png", member="web_resources/cat.png")
FILM = Item(ItemKind.FILE, "i2", "film.mp4", member="web_resources/film.mp4")
PAGE = Item(ItemKind.PAGE, "p1", "Introduction", member="wiki_content/introduction.html")
KNOWN: dict[str, Item] = {
    "$IMS-CC-FILEBASE$/cat.png": PICTURE,
    "$IMS-CC-FILEBASE$/film.mp4": FILM,
    "$WIKI_REFERENCE$/pages/introduction": PAGE,
}

#: What a browser may meet in cleaned HTML.
TAGS = {
    "a", "abbr", "audio", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col",
    "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp",
    "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "video", "wbr",
}  # fmt: skip
ATTRIBUTES = {
    "abbr", "alt", "class", "colspan", "controls", "datetime", "dir", "headers", "height", "href", "id",
    "lang", "open", "preload", "rel", "reversed", "rowspan", "scope", "span", "src", "start", "style",
    "target", "title", "type", "value", "width",
}  # fmt: skip


def resolve(address: str) -> Item | str | None:
    if address in KNOWN:
        return KNOWN[address]
    return address if ":" in address or address.startswith(("//", "\\\\")) else None


LINKS = Links(
    resolve=resolve,
    page=lambda item: f"{item.identifier}.html",
    file=lambda item: f"../files/{item.title}",
    target="_top",
)


def clean(html: str) -> str:
    return clean_html(html, LINKS)


class Reader(HTMLParser):
    """Collects what a page may not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            if (
                name not in ATTRIBUTES
                or (name == "src" and not text.startswith(("../files/", "data:image/")))
                or (name == "href" and not re.match(r"(https?:|mailto:|tel:|#content-|\w+\.html$)", text))
                or (name == "id" and not text.startswith("content-"))
                or (name == "class" and not text.startswith("ca-"))
                or (name == "style" and re.search(r"url|\\|/\*|@|var|position|expression", text))
                or (
                    name == "href"
                    and text.startswith("http")
                    and dict(attrs).get("rel") != "noreferrer noopener"
                )
            ):
                self.wrong.append(f"{tag} {name}={text[:80]}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"<![{data}]>")


class TextReader(HTMLParser):
    """Collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def wrong_in(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.wrong


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_nothing_of_an_attack_is_left(attack: str) -> None:
    assert wrong_in(clean(attack)) == []


@given(
    st.lists(
        st.sampled_from([*ATTACKS.values(), "<p>", "</p>", "<table>", "</table>", "<a href='#x'>", "text"]),
        max_size=4,
    )
)
def test_nothing_of_attacks_in_a_row_is_left(attacks: list[str]) -> None:
    assert wrong_in(clean("".join(attacks))) == []


@given(st.text(alphabet="<>/=\"'! -abpsvgtdi&;#x[]\0\n\t", max_size=300))
def test_nothing_that_looks_like_html_is_left(text: str) -> None:
    assert wrong_in(clean(text)) == []


@given(st.text(max_size=300))
def test_plain_text_stays_as_it_is(text: str) -> None:
    plain = "".join(each for each in text if each.isprintable() and each not in "<&")
    reader = TextReader()
    reader.feed(clean(plain))
    reader.close()
    assert reader.text == plain


def test_what_a_teacher_writes_stays() -> None:
    html = (
        '<h2 id="top">Cells</h2><p style="color: red">A <strong>cell</strong> &amp; <em>more</em>.</p>'
        '<ul><li>one</li><li>two</li></ul><table><tbody><tr><td colspan="2">x</td></tr></tbody></table>'
    )
    assert clean(html) == html.replace('id="top"', 'id="content-top"')


def test_html_that_is_not_well_formed_is_read_as_a_browser_reads_it() -> None:
    assert clean("<p>a<p>b<ul><li>c<li>d</ul>e") == "<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>e"
    assert clean("<table><td>1<td>2<tr><td>3</table>") == (
        "<table><tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></tbody></table>"
    )
    assert clean("1 < 2 & 3 > 2") == "1 &lt; 2 &amp; 3 &gt; 2"


def test_a_heading_of_the_first_level_belongs_to_the_page() -> None:
    assert clean("<h1>Mine</h1>") == "<h2>Mine</h2>"


def test_addresses_of_the_package_lead_to_its_items() -> None:
    assert (
        clean('<a href="$WIKI_REFERENCE$/pages/introduction">x</a>')
        == '<a href="p1.html" target="_top">x</a>'
    )
    assert clean('<img src="$IMS-CC-FILEBASE$/cat.png" alt="A cat" width="40">') == (
        '<img alt="A cat" width="40" src="../files/cat.png">'
    )
    assert 'src="../files/film.mp4"' in clean('<video><source src="$IMS-CC-FILEBASE$/film.mp4"></video>')


def test_a_picture_without_text_has_the_name_of_its_file() -> None:
    assert 'alt="cat.png"' in clean('<img src="$IMS-CC-FILEBASE$/cat.png">')


def test_an_address_within_the_text_leads_to_its_own_place() -> None:
    cleaned = clean('<a href="#part 2">x</a><p id="part 2">y</p><a name="old">z</a>')
    assert '<a href="#content-part_2">' in cleaned
    assert '<p id="content-part_2">' in cleaned
    assert 'id="content-old"' in cleaned


def test_an_address_outside_is_shown_and_tells_nobody_where_it_was_followed() -> None:
    cleaned = clean('<a href="https://example.org/a?b=1&amp;c" target="_self">x</a>')
    assert 'href="https://example.org/a?b=1&amp;c"' in cleaned
    assert 'rel="noreferrer noopener"' in cleaned
    assert 'title="https://example.org/a?b=1&amp;c"' in cleaned
    assert 'target="_blank"' in cleaned


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://example.org/a" alt="A">',
        '<iframe src="https://example.org/a"></iframe>',
        '<embed src="https://example.org/a">',
        '<object data="https://example.org/a"></object>',
        '<video src="https://example.org/a"></video>',
        '<audio><source src="https://example.org/a"></audio>',
    ],
)
def test_what_would_load_from_outside_is_a_link_with_its_address(html: str) -> None:
    cleaned = clean(html)
    assert "(https://example.org/a)</a>" in cleaned
    assert "src=" not in cleaned


def test_what_the_package_does_not_hold_is_named() -> None:
    assert "[Picture that the package does not hold: A]" in clean('<img src="gone.png" alt="A">')
    assert '<span class="ca-missing"' in clean('<a href="gone.html">x</a>')


def test_formulas_keep_their_text() -> None:
    assert clean(
        '<img class="equation_image" src="/equation_images/x" alt="LaTeX: x" data-equation-content="x^2">'
    ) == ('<code class="ca-equation">x^2</code>')
    assert clean('<math alttext="x^2"><mi>x</mi></math>') == '<code class="ca-equation">x^2</code>'
    assert clean("<math><mi>x</mi><annotation>TeX</annotation></math>") == "x"


def test_a_picture_within_the_text_is_shown_if_it_cannot_act() -> None:
    assert (
        clean('<img src="data:image/png;base64,AAAA" alt="A">')
        == '<img alt="A" src="data:image/png;base64,AAAA">'
    )
    assert "<img" not in clean('<img src="data:image/svg+xml;base64,AAAA" alt="A">')


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000,
        "".join(f"<p><b title={n}>" for n in range(80_000)),
        "<b><p></b>" * 60_000,
        "<div><table></div></table>" * 30_000,
        "& " * 600_000,
        '<a x="' * 200_000,
        "<!--" * 300_000,
        "<a " + "x " * 500_000,
        "<" * 900_000,
        "<table><tr><td>" * 50_000,
        "<svg>" * 200_000,
        "<textarea>" * 100_000,
    ],
    ids=lambda html: html[:12],
)
def test_html_of_any_shape_is_bounded(html: str) -> None:
    cleaned = clean(html)
    assert len(cleaned) < MAX_SHOWN + 200_000
    depth = deepest = 0
    for tag in re.findall(r"<(/?)(?!img|br|hr|wbr|col)\w", cleaned):
        depth += -1 if tag else 1
        deepest = max(deepest, depth)
    assert deepest <= 150  # a table has a body, which nobody writes


def test_a_text_that_is_too_long_says_so() -> None:
    assert "too long to be shown" in clean("x" * (MAX_SHOWN + 2))
    assert "too long to be shown" not in clean("x" * 1000)


@pytest.mark.parametrize(
    ("written", "followed"),
    [
        ("https://example.org/", "https://example.org/"),
        ("//example.org/", "https://example.org/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("HTTPS://example.org", "HTTPS://example.org"),
        ("java\tscript:ran()", None),
        ("data:text/html,x", None),
        ("https:", None),
        ("http://[", None),
    ],
)
def test_only_harmless_schemes_are_followed(written: str, followed: str | None) -> None:
    assert outside_address(written) == followed


@pytest.mark.parametrize(
    "html", ["<p>&#{};</p>", "<a href='&#{};'>x</a>", "<a title=&#{}>x</a>", "<style>&#{}</style>x"]
)
def test_a_reference_with_thousands_of_digits_is_no_error(html: str) -> None:
    assert "9" * 100 not in clean(html.format("9" * 5_000))
