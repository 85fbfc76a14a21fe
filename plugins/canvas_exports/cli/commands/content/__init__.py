"""The subcommands that read packages: get, open, publish, search, compare."""
