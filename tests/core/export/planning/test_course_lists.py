"""A course list is read whole and as it is written, or it is an error that names the place."""

from __future__ import annotations

import contextlib
import json
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.planning import course_lists
from canvas_exports.core.export.planning.course_lists import COLUMNS, FORMATS, parse_list, read_list
from canvas_exports.core.model.contexts import ACCEPTED, Context
from canvas_exports.errors import ArchiveUnavailableError, InputError


def parsed(text: str, form: str) -> list[str]:
    return [str(context) for context in parse_list(text, form)]


def refused(text: str, form: str) -> str:
    with pytest.raises(InputError) as caught:
        parsed(text, form)
    return str(caught.value)


class TestText:
    def test_one_course_a_line_in_any_spelling(self) -> None:
        text = "101\n course:102 \nsis_course_id:BIO-101/A\ngroup:7\r\nuser:self\n"
        assert parsed(text, "txt") == [
            "course:101",
            "course:102",
            "course:sis_course_id:BIO-101/A",
            "group:7",
            "user:self",
        ]

    def test_comments_and_empty_lines_are_skipped(self) -> None:
        assert parsed("# spring\n\n101 # biology\n   \n\t# 102\n", "txt") == ["course:101"]

    def test_a_hash_inside_an_id_belongs_to_it(self) -> None:
        assert parsed("sis_course_id:C#101", "txt") == ["course:sis_course_id:C#101"]

    def test_an_error_names_the_line_and_what_is_accepted(self) -> None:
        assert refused("101\n\nBIO 101\n", "txt") == (
            f"course_list, line 3: what stands there is not a course. Accepted: {ACCEPTED}."
        )


class TestCsv:
    @pytest.mark.parametrize("column", [name for name in COLUMNS if name != "sis_course_id"])
    def test_a_column_may_have_any_of_the_known_names(self, column: str) -> None:
        heading = column.replace("_", " ").title()
        assert parsed(f"Name,{heading}\nBiology,101\nGenetics,102\n", "csv") == ["course:101", "course:102"]

    def test_a_single_column_needs_no_header(self) -> None:
        assert parsed("101\n102\n", "csv") == ["course:101", "course:102"]
        assert parsed("course_id\n101\n", "csv") == ["course:101"]

    def test_a_value_of_the_sis_column_is_a_sis_id_even_if_it_is_a_number(self) -> None:
        assert parsed("sis_course_id\n0101\nsis_course_id:BIO\n", "csv") == [
            "course:sis_course_id:0101",
            "course:sis_course_id:BIO",
        ]

    def test_of_canvas_own_columns_its_number_counts_and_not_the_sis_id(self) -> None:
        text = "course_id,canvas_course_id,short_name\n4711,101,BIO\n"
        assert parsed(text, "csv") == ["course:101"]

    def test_a_row_without_the_first_column_is_named_by_the_next(self) -> None:
        text = "canvas_course_id,sis_course_id\n101,A\n,B\n"
        assert parsed(text, "csv") == ["course:101", "course:sis_course_id:B"]

    def test_a_row_without_any_course_is_not_passed_over(self) -> None:
        message = refused("name,course_id\nBiology,101\nGenetics,\n", "csv")
        assert message.startswith("course_list, line 3: it names no course. Accepted: a value for one of")
        assert refused("name,course_id\nGenetics\n", "csv").startswith(
            "course_list, line 2: it names no course"
        )

    def test_rows_of_nothing_are_skipped(self) -> None:
        assert parsed("\n,\ncourse_id,name\n\n,,\n101,Biology\n", "csv") == ["course:101"]

    def test_quotes_may_hold_commas_and_line_breaks_and_the_line_is_still_right(self) -> None:
        assert refused('name,course_id\n"a,\nb",101\nc,x\n', "csv").startswith("course_list, line 4: what")
        assert refused('name,course_id\n"a,\nb",x\n', "csv").startswith("course_list, line 2: what")

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_lines_may_end_as_on_any_system(self, ending: str) -> None:
        assert parsed(ending.join(["course_id,name", "101,a", "102,b"]), "csv") == [
            "course:101",
            "course:102",
        ]

    def test_several_columns_without_a_known_name_are_refused(self) -> None:
        message = refused("\nnumber,name\n101,Biology\n", "csv")
        assert message.startswith("course_list, line 2: no column holds courses. Accepted: a column named")
        assert all(name in message for name in COLUMNS)

    def test_what_is_no_csv_is_refused_with_its_line(self) -> None:
        assert refused('course_id\n101\n"9"8\n', "csv").startswith("course_list, line 3: it is not valid CSV")
        assert refused("course_id\n101\n" + "9" * 200_000, "csv") == (
            "course_list, line 3: it is longer than 65,536 characters."
        )

    def test_a_quotation_mark_that_nobody_closes_loses_no_course(self) -> None:
        text = 'canvas_course_id,name\n101,"Bio\n102,Chemistry\n'
        assert refused(text, "csv") == (
            "course_list, line 2: it is not valid CSV: unexpected end of data; look at the quotation marks."
        )
        bomb = 'course_id\n101\n"' + "102\n" * 200_000
        assert refused(bomb, "csv") == (
            "course_list, line 3: it is not valid CSV: field larger than field limit (131072); look at the quotation "
            "marks."
        )

    def test_each_line_is_looked_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """100,000 lines take under half a second of processor time, and twice as many twice that; see ``benchmarks.lists``."""
        looked = []
        parse = Context.parse

        def counted(text: str | int) -> Context:
            looked.append(text)
            return parse(text)

        monkeypatch.setattr(Context, "parse", counted)
        text = "course_id,canvas_course_id\n" + "".join(
            f"B{number},{number}\n" for number in range(1, 100_001)
        )
        assert len(parsed(text, "csv")) == len(looked) == 100_000

    def test_a_list_of_nothing_is_empty(self) -> None:
        assert parsed("", "csv") == parsed("course_id,name\n", "csv") == parsed("", "txt") == []


class TestDocuments:
    @pytest.mark.parametrize("form", ["json", "yaml"])
    def test_a_list_of_ids_or_of_objects_or_an_object_with_a_list(self, form: str) -> None:
        entries = [101, "sis_course_id:BIO", {"id": 102, "name": "x"}, {"course_id": "", "sis_course_id": 7}]
        expected = ["course:101", "course:sis_course_id:BIO", "course:102", "course:sis_course_id:7"]
        assert parsed(json.dumps(entries), form) == expected
        assert parsed(json.dumps({"courses": entries}), form) == expected

    def test_yaml_as_a_person_writes_it(self) -> None:
        assert parsed("courses:\n  - 101  # biology\n  - sis_course_id: BIO/102\n", "yml") == [
            "course:101",
            "course:sis_course_id:BIO/102",
        ]

    def test_yaml_changes_no_id(self) -> None:
        text = "- sis_course_id: 0101\n- sis_course_id: 12:30\n- sis_course_id: no\n- sis_course_id: 1_000\n"
        assert parsed(text, "yaml") == [
            f"course:sis_course_id:{written}" for written in ("0101", "12:30", "no", "1_000")
        ]

    @pytest.mark.parametrize(
        ("text", "form", "message"),
        [
            (
                '{"course": 101}',
                "json",
                "course_list: it is not a list. Accepted: a list of courses, or an obj",
            ),
            ("course: 101", "yaml", "course_list: it is not a list"),
            ("", "yaml", "course_list: it is not a list"),
            (
                "[101, [102]]",
                "json",
                f"course_list, entry 2: what stands there is not a course. Accepted: {ACCEPTED}.",
            ),
            ("[true]", "json", "course_list, entry 1: what stands there is not a course"),
            ("[null]", "json", "course_list, entry 1: what stands there is not a course"),
            ("[101.5]", "json", "course_list, entry 1: what stands there is not a course"),
            (
                '[101, {"name": "x"}]',
                "json",
                "course_list, entry 2: it names no course. Accepted: a value for",
            ),
            ('["BIO"]', "json", "course_list, entry 1: what stands there is not a course"),
            ("- 101\n- yes\n", "yaml", "course_list, entry 2: what stands there is not a course"),
            ("[101,\n102", "json", "course_list, line 2: it is not valid JSON"),
            ("- 101\n- [102\n", "yaml", "course_list, line 3: it is not valid YAML"),
            ("- \x00", "yaml", "course_list, line 1: it is not valid YAML"),
            ("- &a [101]\n- *a\n", "yaml", "course_list, line 1: it is not valid YAML"),
            ("- 101\n- *a\n", "yaml", "course_list, line 2: it is not valid YAML"),
            ("- 101\n- 102\u2028", "yaml", "course_list, line 2: it is not valid YAML"),
            ("- 101\n" + "- " * 5_000, "yaml", "course_list, line 2: it is not valid YAML"),
            ('- 101\n- "\\UFFFFFFFF"', "yaml", "course_list, line 2: it is not valid YAML"),
            ("[101, " + "9" * 5_000 + "]", "json", "course_list: it is not valid JSON"),
            ("[" * 200_000, "json", "course_list: it is not valid JSON"),
        ],
    )
    def test_an_error_names_the_line_or_the_entry(self, text: str, form: str, message: str) -> None:
        assert refused(text, form).startswith(message)


IDS = st.one_of(
    st.integers(1, 10**18).map(str),
    st.text("abcXYZ0123456789-_/.#", min_size=1, max_size=20).map("sis_course_id:{}".format),
)


@given(st.lists(IDS, max_size=20))
def test_every_format_reads_the_same_courses_in_the_same_order(ids: list[str]) -> None:
    expected = [Context.parse(text) for text in ids]
    rows = [{"course": text} for text in ids]
    written = {
        "txt": "\ufeff" + "\n".join(ids),
        "csv": "\ufeffcourse,why\n" + "".join(f"{text},because\n" for text in ids),
        "json": "\ufeff" + json.dumps(rows),
        "yaml": "\ufeff" + "".join(f"- {json.dumps(row)}\n" for row in rows) if rows else "[]",
    }
    for form, text in written.items():
        assert list(parse_list(text, form)) == expected, form


class TestReading:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_a_file_of_utf_8_with_or_without_a_mark(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "list.CSV"
        path.write_text("course_id,name\n101,Français\n", encoding=encoding)
        assert read_list(str(path)) == [Context.parse(101)]
        assert read_list(path.as_uri()) == [Context.parse(101)]

    def test_an_unknown_ending_is_refused_before_anything_is_read(self) -> None:
        with pytest.raises(InputError, match=r"course_list: .*'list.xlsx' has no known ending") as caught:
            read_list("list.xlsx")
        assert all(f".{form}" in str(caught.value) for form in FORMATS)

    def test_an_error_in_the_list_names_the_file_and_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("101\nx\n")
        with pytest.raises(InputError, match=r"^course_list \(.*/list\.txt\), line 2: what stands there"):
            read_list(str(path))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"course_list: '.*/none\.csv' does not exist\. Accepted:"):
            read_list(str(tmp_path / "none.csv"))

    def test_another_encoding_is_refused_and_not_guessed(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_bytes("course_id,name\n101,Français\n".encode("latin-1"))
        with pytest.raises(InputError, match="line 2: it is not UTF-8; save it as UTF-8"):
            read_list(str(path))

    def test_a_list_that_is_too_large_is_refused_and_not_cut(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(course_lists, "MAX_BYTES", 8)
        path = tmp_path / "list.txt"
        path.write_text("101\n102\n")
        assert len(read_list(str(path))) == 2
        path.write_text("101\n1025\n")
        with pytest.raises(InputError, match="larger than 8 bytes"):
            read_list(str(path))

    def test_what_cannot_be_read_now_is_an_error_that_may_pass(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(ArchiveUnavailableError, match="nothing was exported"):
            read_list(str(tmp_path / "folder.csv"))

    def test_a_scheme_that_nobody_knows_is_bad_input(self) -> None:
        with pytest.raises(InputError, match=r"'gopher://host/list\.csv' cannot be read"):
            read_list("gopher://host/list.csv")

    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_no_error_repeats_a_credential_of_the_uri(self, ending: str) -> None:
        # Nothing listens on this port.
        uri = f"http://ada:secret@127.0.0.1:9/list.{ending}?X-Amz-Signature=secret"
        with pytest.raises(
            (InputError, ArchiveUnavailableError), match=rf"//127\.0\.0\.1:9/list\.{ending}"
        ) as caught:
            read_list(uri)
        error: BaseException | None = caught.value
        while error is not None:
            assert "secret" not in repr(error)
            error = error.__cause__ or error.__context__


SECRET = "hunter2-correct-horse"


class TestOtherPeoplesFiles:
    """A list may be given the name of a file that is none, by mistake or not; nothing of it gets into a log."""

    @pytest.mark.parametrize("form", sorted({*FORMATS} - {"yml"}))
    @pytest.mark.parametrize(
        "text",
        [
            SECRET,
            f"101\n102\n{SECRET}\n",
            f"export AWS_SECRET_ACCESS_KEY={SECRET}\nexport B={SECRET}\n",
            f"[default]\naws_secret_access_key = {SECRET}\n",
            f"password: {SECRET}\nother: [{SECRET}\n",
            f"- 101\n- {SECRET}\n- &{SECRET} a\n- !{SECRET}x!y z\n- *{SECRET}\n",
            f"!{SECRET}!x y\n",
            f"%{SECRET} x\n---\na: b\n",
            f'{{"courses": ["{SECRET}"]}}',
            f'{{"courses": [{{"id": "{SECRET}"}}]}}',
            f'{{"courses": [["{SECRET}"]]}}',
            f'{{"password": "{SECRET}", }}',
            f"root,{SECRET},0\n",
            f"course_id,password\n{SECRET},{SECRET}\n",
            f'"{SECRET}\n{SECRET}',
            f'"{SECRET}"{SECRET}\n',
            f"{SECRET}\0",
            f"course:{SECRET}\nsis_course_id:\n",
            f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
    def test_no_error_repeats_what_stands_in_a_file(
        self, tmp_path: Path, text: str, form: str, encoding: str
    ) -> None:
        path = tmp_path / f"list.{form}"
        path.write_bytes((text + ("ü" if encoding == "latin-1" else "")).encode(encoding))
        with pytest.raises(InputError) as caught:
            read_list(str(path))
        told = "".join(traceback.format_exception(caught.value))
        error: BaseException | None = caught.value
        while error is not None:
            told += f"{error!r} {error.args} {vars(error)}"
            assert not isinstance(error, UnicodeDecodeError), "it holds the whole file"
            error = error.__cause__ or error.__context__
        assert SECRET not in told
        assert len(str(caught.value)) < 600


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_file_at_all_is_a_list_or_reported(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    for form in FORMATS:
        path = folder / f"list.{form}"
        path.write_bytes(data)
        with contextlib.suppress(InputError):
            assert all(isinstance(context, Context) for context in read_list(str(path)))


class TestBounds:
    @pytest.mark.parametrize(("form", "most"), [("json", 16), ("yaml", 1), ("yml", 1)])
    def test_a_document_that_would_take_long_to_read_is_refused(self, form: str, most: int) -> None:
        assert refused("[" + "1," * (most * 1024**2 // 2) + "1]", form) == (
            f"course_list: it is larger than {most} MiB. Accepted: a list as .csv or .txt, which may be larger."
        )

    def test_a_line_that_is_no_line_is_refused(self) -> None:
        assert refused("101\n" + "1" * 10**6, "txt") == (
            "course_list, line 2: it is longer than 65,536 characters."
        )

    def test_more_courses_than_anybody_has_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(course_lists, "MOST_COURSES", 2)
        assert parsed("1\n2\n", "txt") == ["course:1", "course:2"]
        assert refused("1\n2\n3\n", "txt").startswith("course_list: it has more than 2 entries.")

    @pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1e"])
    def test_a_line_ends_where_an_editor_ends_it(self, character: str) -> None:
        assert refused(f"101\n102{character}103\nx\n", "txt").startswith("course_list, line 2: ")
        assert refused(f"101\nsis_course_id:A{character}\nx\n", "txt").startswith("course_list, line 3: ")
        assert refused(f"a,id\n{character},101\n,x\n", "csv").startswith("course_list, line 3: ")
