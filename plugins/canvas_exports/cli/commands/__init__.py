"""The subcommands of ``canvas-archive``: ``add_parser`` adds the arguments of one, ``run`` prints its answer."""
