"""Writes the pages, or says which are out of date."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.reference import PAGES


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; fail on an old page.")
def write(folder: Path, check: bool) -> None:
    """Write the reference pages into FOLDER."""
    old = []
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        old.append(name)
        if not check:
            path.write_text(text, "utf-8")
    if check and old:
        raise click.ClickException(f"out of date: {', '.join(old)}; run `make docs`")
    click.echo(f"{len(old)} of {len(PAGES)} pages {'old' if check else 'written'}")


write()
