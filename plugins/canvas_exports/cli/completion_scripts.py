"""Write the completion scripts of shells from the parser of the command."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PROGRAM = "canvas-archive"

#: Placeholders of values that are files or folders of this machine.
_PATHS = ("FILE", "FOLDER", "PATH", "URI")


@dataclass(frozen=True)
class Argument:
    """An option of a subcommand, or an argument without a name.

    Attributes:
        flags: ``-A`` and ``--archive``; none for an argument without a name.
        help: one line.
        value: the placeholder of its value; ``None`` if it takes none.
        choices: the accepted values, if they are known.
    """

    flags: tuple[str, ...]
    help: str
    value: str | None
    choices: tuple[str, ...]

    @property
    def is_path(self) -> bool:
        """Return whether files of this machine complete it."""
        return self.value in _PATHS


@dataclass(frozen=True)
class Subcommand:
    """A subcommand, as its parser describes it."""

    name: str
    help: str
    arguments: tuple[Argument, ...]

    @property
    def options(self) -> list[Argument]:
        """Return the arguments that have a flag."""
        return [each for each in self.arguments if each.flags]

    @property
    def flags(self) -> list[str]:
        """Return all flags."""
        return [flag for each in self.options for flag in each.flags]

    @property
    def unnamed(self) -> Argument | None:
        """Return the argument without a flag; no subcommand has several."""
        return next((each for each in self.arguments if not each.flags), None)


def describe(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[Subcommand]:
    """Return the subcommands of a parser."""
    helps = {action.dest: action.help or "" for action in parsers._choices_actions}  # noqa: SLF001 - argparse has no other way
    return [
        Subcommand(name, _line(helps.get(name, "")), tuple(_arguments(parser)))
        for name, parser in parsers.choices.items()
    ]


def _arguments(parser: argparse.ArgumentParser) -> Iterator[Argument]:
    formatter = parser._get_formatter()  # noqa: SLF001 - as above
    for action in parser._actions:  # noqa: SLF001 - as above
        text = formatter._expand_help(action) if action.help else ""  # noqa: SLF001 - as above
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        choices = tuple(str(each) for each in action.choices or ())
        takes_value = action.nargs != 0
        yield Argument(tuple(action.option_strings), _line(text), metavar if takes_value else None, choices)


def _line(text: str) -> str:
    return " ".join(text.split())


def bash(subcommands: Iterable[Subcommand]) -> str:
    """Return the script for bash."""
    listed = list(subcommands)
    values, words = [], []
    for each in listed:
        for option in each.options:
            if option.value is not None:
                pattern = "|".join(f"{each.name}:{flag}" for flag in option.flags)
                values.append(f"        {pattern}) {_bash_value(option)} return ;;")
        unnamed = f" *) {_bash_value(each.unnamed)} ;;" if each.unnamed else ""
        flags = shlex.quote(" ".join(each.flags))
        words.append(f'        {each.name}) case "$word" in -*) words={flags} ;;{unnamed} esac ;;')
    return _BASH.format(
        program=PROGRAM,
        names=shlex.quote(" ".join([*(each.name for each in listed), "--help", "--version"])),
        values="\n".join(values),
        words="\n".join(words),
    )


_BASH = """\
# Completion of {program} for bash. To load it: source <({program} completion bash)
_canvas_archive() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="" words="" files="" each
    local IFS=$' \\t\\n'
    if [[ "$word" == "=" ]]; then word=""; elif [[ "$before" == "=" ]]; then before="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        if [[ "$each" != -* ]]; then command="$each"; break; fi
    done
    _canvas_archive_words
    if [[ -n "$files" ]]; then
        compopt -o filenames 2> /dev/null
        IFS=$'\\n'
        COMPREPLY=($(compgen -f -- "$word"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    fi
}}
_canvas_archive_words() {{
    case "$command:$before" in
{values}
    esac
    case "$command" in
        "") words={names} ;;
{words}
    esac
}}
complete -F _canvas_archive {program}
"""


def _bash_value(argument: Argument | None) -> str:
    """Return the statement that sets what completes a value."""
    if argument is not None and argument.choices:
        return f"words={shlex.quote(' '.join(argument.choices))};"
    return "files=1;" if argument is not None and argument.is_path else "words='';"


def zsh(subcommands: Iterable[Subcommand]) -> str:
    """Return the script for zsh."""
    names, cases = [], []
    for each in subcommands:
        names.append(f"        {shlex.quote(f'{_zsh_text(each.name)}:{_zsh_text(each.help)}')}")
        specs = [spec for argument in each.arguments for spec in _zsh_specs(argument)]
        listed = " \\\n".join(f"                {shlex.quote(spec)}" for spec in specs)
        cases.append(f"            {each.name}) _arguments \\\n{listed} ;;")
    return _ZSH.format(program=PROGRAM, names="\n".join(names), cases="\n".join(cases))


_ZSH = """\
#compdef {program}
# Completion of {program} for zsh. To load it: source <({program} completion zsh)
_canvas_archive() {{
    local state line
    typeset -A opt_args
    local -a commands=(
{names}
    )
    _arguments -C '(- *)--help[show the help]' '(- *)--version[show the version]' '1:command:->command' '*::argument:->argument'
    case "$state" in
        command) _describe command commands ;;
        argument)
            case "$words[1]" in
{cases}
            esac ;;
    esac
}}
if [[ "$funcstack[1]" == _canvas_archive ]]; then
    _canvas_archive "$@"
else
    compdef _canvas_archive {program}
fi
"""


def _zsh_specs(argument: Argument) -> Iterator[str]:
    value = "" if argument.value is None else f":{_zsh_text(argument.value)}:{_zsh_action(argument)}"
    for flag in argument.flags:
        yield f"{flag}[{_zsh_text(argument.help)}]{value}"
    if not argument.flags:
        yield f"*{value}"


def _zsh_action(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    return "_files" if argument.is_path else " "


def _zsh_text(text: str) -> str:
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def fish(subcommands: Iterable[Subcommand]) -> str:
    """Return the script for fish."""
    lines = [f"# Completion of {PROGRAM} for fish. To load it: {PROGRAM} completion fish | source"]
    lines.append(f"complete -c {PROGRAM} -f")
    for each in subcommands:
        lines.append(
            f"complete -c {PROGRAM} -n __fish_use_subcommand -a {each.name} -d {_fish_text(each.help)}"
        )
        seen = _fish_text(f"__fish_seen_subcommand_from {each.name}")
        for argument in each.arguments:
            parts = [f"complete -c {PROGRAM} -n {seen}", *map(_fish_flag, argument.flags)]
            if argument.value is not None and argument.flags:
                parts.append("-r -F" if argument.is_path else "-x")
            elif argument.value is not None and argument.is_path:
                parts.append("-F")
            if argument.choices:
                parts.append(f"-a {_fish_text(' '.join(argument.choices))}")
            if argument.flags:
                parts.append(f"-d {_fish_text(argument.help)}")
            if len(parts) > 1:
                lines.append(" ".join(parts))
    return "\n".join(lines) + "\n"


def _fish_flag(flag: str) -> str:
    return f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"


def _fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
