"""The parser of ``canvas-archive``, taken apart."""

from __future__ import annotations

import argparse

from canvas_exports.cli.main import parser


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each subcommand, by its name."""
    (found,) = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


def has_option(subcommand: argparse.ArgumentParser, option: str) -> bool:
    """Whether a subcommand has an option."""
    return any(option in action.option_strings for action in subcommand._actions)
