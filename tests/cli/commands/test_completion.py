"""``canvas-archive completion``: the shells complete every subcommand, option and value, from the parser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.command.subcommands import subcommands

from canvas_exports.cli.main import main

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_canvas_archive
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def write(shell: str) -> Path:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is missing")
        assert main(["completion", shell]) == 0
        (tmp_path / shell).write_text(capsys.readouterr().out)
        return tmp_path / shell

    return write


def bash(script: Path, *words: str) -> list[str]:
    command = ["bash", "--norc", "-c", BASH, "bash", str(script), "canvas-archive", *words]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=script.parent)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def fish(script: Path, line: str) -> dict[str, str]:
    command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=script.parent)
    assert done.stderr == ""
    return dict(each.partition("\t")[::2] for each in done.stdout.splitlines())


class TestBash:
    def test_every_subcommand_and_each_of_its_options(self, script: Any) -> None:
        file = script("bash")
        assert sorted(bash(file, "")) == sorted([*subcommands(), "--help", "--version"])
        assert bash(file, "lis") == ["list"]
        for name, parser in subcommands().items():
            known = [flag for action in parser._actions for flag in action.option_strings]
            assert sorted(bash(file, name, "-")) == sorted(known), name

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (["list", "101", "--type", ""], ["common_cartridge", "qti", "zip"]),
            (["list", "101", "--type", "=", "q"], ["qti"]),
            (["list", "--json", "--ty"], ["--type"]),
            (["restore", "--via", "u"], ["upload", "url"]),
            (["completion", ""], ["bash", "zsh", "fish"]),
            (["runs", "--days", ""], []),
            (["list", ""], []),
            (["nonsense", "-"], []),
        ],
    )
    def test_values(self, script: Any, words: list[str], found: list[str]) -> None:
        assert bash(script("bash"), *words) == found

    def test_files(self, script: Any) -> None:
        file = script("bash")
        (file.parent / "my package.imscc").touch()
        for words in (["get", "-o", "my"], ["missing", "--courses", "my"], ["list", "-A", "my"]):
            assert bash(file, *words) == ["my package.imscc"]


class TestFish:
    def test_every_subcommand_and_option_with_its_help(self, script: Any) -> None:
        file = script("fish")
        assert set(fish(file, "canvas-archive ")) == set(subcommands())
        for name, parser in subcommands().items():
            known = {flag for action in parser._actions for flag in action.option_strings}
            found = fish(file, f"canvas-archive {name} -")
            assert known <= set(found) | {"-h"}, name
        assert fish(file, "canvas-archive restore --v") == {
            "--via": "upload (default), or url: Canvas fetches the package from the archive by a signed URL"
        }

    def test_values_and_files(self, script: Any) -> None:
        file = script("fish")
        (file.parent / "mine.imscc").touch()
        assert set(fish(file, "canvas-archive list --type ")) == {"common_cartridge", "qti", "zip"}
        assert "mine.imscc" in fish(file, "canvas-archive get -o m")
        assert fish(file, "canvas-archive list m") == {}


def test_zsh_reads_the_script(script: Any) -> None:
    file = script("zsh")
    read = (
        f"autoload -U compinit; compinit -u -D; source {file}; print $_comps[canvas-archive]; zcompile {file}"
    )
    command = ["zsh", "-f", "-c", read]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=file.parent)
    assert (done.stdout, done.stderr) == ("_canvas_archive\n", "")
    for name in subcommands():
        assert f"\n            {name}) _arguments " in file.read_text()


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["shell"] == "zsh"
    assert document["script"].startswith("#compdef canvas-archive\n")
