"""Result files that are whole or not there: `--out` of every command.

    with open_result(out, never=files) as stream: ...    # `-` is standard output

What is written goes beside its place under a temporary name and is renamed when all of
it is there, so that neither Ctrl-C nor a full disk leaves half a result, and an older
one stays until then. Devices and pipes are written to as they are.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from elkwatch.errors import ConfigError, FileError
from elkwatch.log_streams import shown

STANDARD_OUTPUT = "-"
_LONGEST_PART = 60
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def open_result(
    out: str | Path, *, never: Iterable[str | Path | None] = ()
) -> Iterator[BinaryIO]:
    """A stream for the whole result. `never`: files it must not replace (the input).

    Folders on the way are made. Raises ConfigError for a path of `never`, FileError
    for one that cannot be written; what the caller raises is raised on.
    """
    if str(out) == STANDARD_OUTPUT:
        yield _standard_output()
        sys.stdout.flush()
        return
    path = Path(out)
    _refuse(path, str(out), never)
    if path.exists() and not path.is_file():
        with _told(path), path.open("wb") as stream:
            yield stream
        return
    with _renamed_when_whole(path) as stream:
        yield stream


@contextmanager
def open_text_result(
    out: str | Path, *, never: Iterable[str | Path | None] = ()
) -> Iterator[TextIO]:
    """As `open_result`, for UTF-8 text; line ends are written as they are given."""
    with open_result(out, never=never) as stream:
        text = io.TextIOWrapper(stream, "utf-8", "replace", newline="")
        try:
            yield text
            text.flush()
        finally:
            with suppress(OSError, ValueError):
                text.detach()


def _standard_output() -> BinaryIO:
    stdout: TextIO | None = sys.stdout
    if stdout is None:
        raise FileError("standard output is closed; name a file with --out")
    return stdout.buffer


def _refuse(path: Path, out: str, never: Iterable[str | Path | None]) -> None:
    if not out.strip() or "\0" in out:
        raise ConfigError("--out is empty; name the file to write")
    if path.is_dir():
        raise FileError(
            f"--out {shown(out)}: is a directory; name a file, "
            f"e.g. {shown(out).rstrip('/')}/result"
        )
    for name in never:
        if name is None or str(name) == STANDARD_OUTPUT or not path.is_file():
            continue
        with suppress(OSError, ValueError):
            if path.samefile(name):
                raise ConfigError(
                    f"--out {shown(out)}: is read by the same command and would be "
                    "replaced; choose another"
                )


@contextmanager
def _renamed_when_whole(path: Path) -> Iterator[BinaryIO]:
    with _told(path):
        target = Path(os.path.realpath(path))  # a link stays one
        make_folder(target.parent)
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        if mode is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        name = target.name.encode()[:_LONGEST_PART].decode("utf-8", "ignore")
        part = target.with_name(f".{name}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as stream:
                yield stream
            if mode is not None:
                part.chmod(mode)
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Failures of writing as one line about `--out`; all others pass."""
    try:
        yield
    except OSError as e:
        ours = e.filename is None or Path(e.filename).parent == _parent(path)
        if isinstance(e, BrokenPipeError) or not ours:
            raise
        raise FileError(_line(path, e)) from e


def make_folder(folder: Path) -> None:
    """The folder a result goes to, and those above it. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as e:
        blocking = next(p for p in (folder, *folder.parents) if p.exists())
        raise FileError(
            f"--out: {shown(str(blocking))} is a file, no folder; choose another place"
        ) from e
    except OSError as e:
        raise FileError(
            f"--out: the folder {shown(str(folder))} cannot be made "
            f"({os.strerror(e.errno or 0).lower()}); choose another place"
        ) from e


def _parent(path: Path) -> Path:
    return Path(os.path.realpath(path)).parent


def _line(path: Path, error: OSError) -> str:
    where = f"--out {shown(str(path))}"
    reason = os.strerror(error.errno or 0).lower()
    if error.errno in _FULL:
        return f"{where}: {reason}; free some space, nothing was written"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where}: {reason}; let elkwatch write there, or choose another place"
    return f"{where}: cannot be written: {reason}; choose another place"
