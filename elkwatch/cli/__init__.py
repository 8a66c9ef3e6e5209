"""The command line: `shell` holds what all commands share, one module a command."""

from elkwatch.cli.shell import main

__all__ = ["main"]
