"""The command line as users meet it: help, failures in one line, exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import click
import pytest

import alerting
import connector
import model
from connector import SessionRule
from elkwatch import program_log
from elkwatch.cli import shell
from elkwatch.cli.options import FileOptions, file_options, files_argument, json_option
from elkwatch.config import parse_duration
from elkwatch.engine import EngineError
from elkwatch.errors import ConfigError, FileError

Register = Callable[[click.Command], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Make a click command a command of elkwatch, as a module of its own."""

    def add(command: click.Command) -> None:
        name = command.name or ""
        module = ModuleType(f"elkwatch.cli.{name}")
        setattr(module, name, command)
        module.__spec__ = __import__("importlib.util").util.spec_from_loader(
            module.__name__, None
        )
        monkeypatch.setitem(sys.modules, module.__name__, module)
        lazy = shell.LazyCommand(name, "For this test.")
        group = shell.cli
        assert isinstance(group, shell.LazyGroup)
        monkeypatch.setitem(group.lazy, name, lazy)

    return add


def failing(error: BaseException) -> click.Command:
    @click.command("probe")
    def probe() -> None:
        raise error

    return probe


def process(
    *argv: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from elkwatch.cli import main; main()", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
    )


def test_version() -> None:
    done = process("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("elkwatch 0.")


def test_help_lists_the_commands_in_the_order_of_a_users_way() -> None:
    done = process("--help")
    assert done.returncode == 0
    listed = done.stdout.partition("Commands:")[2]
    shown = re.findall(r"^  (\S+)", listed, re.MULTILINE)
    there = [command.name for command in shell.COMMANDS if command.is_there]
    positions = [shown.index(name) for name in there]
    assert positions == sorted(positions)
    assert "engine" in there


def test_every_command_that_is_there_loads_and_gives_an_example() -> None:
    for lazy in shell.COMMANDS:
        if lazy.is_there:
            command = lazy.load()
            assert command.name == lazy.name
            assert command.help, lazy.name


@pytest.mark.parametrize("argv", [["--help"], ["engine", "status"], ["config", "show"]])
def test_light_commands_do_not_load_torch(argv: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from elkwatch.cli.shell import run; run(sys.argv[1:]); "
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *argv],
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (ConfigError("a: b"), "a: b", 2),
        (FileError("x.log: empty"), "x.log: empty", 1),
        (connector.ConnectorError("down"), "down", 1),
        (connector.ConfigError("bad host"), "bad host", 2),
        (model.ModelError("no model"), "no model", 1),
        (alerting.AlertingError("no store"), "no store", 1),
        (alerting.AlertingConfigError("no channel"), "no channel", 2),
        (alerting.DeliveryError("refused", recoverable=False), "refused", 1),
        (EngineError("no engine"), "no engine", 1),
        (ConfigError("two\n  lines"), "two lines", 2),
        (PermissionError(13, "x", "/out"), "/out: permission denied; give elkwatch", 1),
        (
            FileNotFoundError(2, "x", "/out"),
            "/out: no such file or directory; check",
            1,
        ),
        (OSError(28, "x", "/out"), "/out: no space left on device; free some", 1),
        (MemoryError(), "out of memory; give it less", 1),
        (KeyboardInterrupt(), "stopped", 130),
        (EOFError(), "the input ended too early", 1),
        (
            click.UsageError("no such thing."),
            "probe: no such thing; see `elkwatch probe --help`",
            2,
        ),
        (
            click.BadParameter("not so", param_hint="--out"),
            "Invalid value for --out",
            2,
        ),
        (click.ClickException("it failed"), "it failed", 1),
        (ValueError("oops"), "internal error: ValueError: oops (--debug shows the", 1),
        (KeyError(), "internal error: KeyError: no message", 1),
    ],
)
def test_every_failure_is_one_line_and_an_exit_code(
    error: BaseException,
    line: str,
    code: int,
    register: Register,
    capsys: pytest.CaptureFixture[str],
) -> None:
    register(failing(error))
    assert shell.run(["probe"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    said = err.strip()
    assert said.startswith(f"elkwatch: {line}") or f" {line}" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "argv", [["probe", "--debug"], ["--debug", "probe"], ["group", "below", "--debug"]]
)
def test_debug_anywhere_shows_the_traceback(
    argv: list[str], register: Register, capsys: pytest.CaptureFixture[str]
) -> None:
    register(failing(ConfigError("a: b")))
    group = click.Group("group", commands={"below": failing(ConfigError("a: b"))})
    register(group)
    assert shell.run(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("elkwatch: a: b\n")


def test_secrets_are_masked_in_failures(
    register: Register, capsys: pytest.CaptureFixture[str]
) -> None:
    program_log.hide(["hunter2-secret"])
    register(failing(ValueError("denied for hunter2-secret")))
    shell.run(["probe", "--debug"])
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["trian"], "No such command 'trian'"),
        (["config", "shwo"], "config: No such command 'shwo'"),
        (["config", "show", "--jsno"], "config show: No such option '--jsno'"),
        (["--log-level", "loud"], "Invalid value for '--log-level'"),
    ],
)
def test_wrong_usage(
    argv: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"elkwatch: {line}")
    assert "--help`" in err
    assert err.count("\n") == 1


def test_nothing_asked_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_exit_codes_of_commands_get_through(register: Register) -> None:
    @click.command("probe")
    @click.option("--how")
    @click.pass_context
    def probe(ctx: click.Context, how: str) -> int:
        if how == "exit":
            ctx.exit(1)
        if how == "system":
            sys.exit(1)
        return 1 if how == "return" else 0

    register(probe)
    assert [shell.run(["probe", "--how", h]) for h in ("exit", "system", "return")] == [
        1, 1, 1,
    ]  # fmt: skip
    assert shell.run(["probe", "--how", "fine"]) == 0


def test_ctrl_c_ends_with_one_line_and_130(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time, elkwatch.cli.config as c\n"
        "from elkwatch.cli import main\n"
        "def wait(**k): print('ready', flush=True); time.sleep(30)\n"
        # A job in the background of a shell inherits SIGINT ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "c.show.callback = wait\n"
        "sys.argv = ['elkwatch', 'config', 'show']; main()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert (err.strip(), child.returncode) == ("elkwatch: stopped", 130)


@pytest.mark.parametrize("say", ["print('x')", "click.echo('x' * 1_000_000)"])
def test_a_reader_that_leaves_hears_nothing(say: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import click, sys, time, elkwatch.cli.config as c\n"
        "from elkwatch.cli import main\n"
        f"c.show.callback = lambda **k: (time.sleep(0.3), {say})[1]\n"
        "sys.argv = ['elkwatch', 'config', 'show']; main()\n"
    )
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} {script} | :"],
        capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        timeout=60,
        check=False,
    )
    assert done.stderr == b""


def options_of(register: Register, argv: Sequence[str]) -> tuple[FileOptions, int]:
    got: list[FileOptions] = []

    @click.command("probe")
    @files_argument()
    @json_option
    @file_options
    def probe(files: tuple[str, ...], as_json: bool, file_options: FileOptions) -> None:
        got.append(file_options)
        file_options.spec()

    register(probe)
    code = shell.run(["probe", "app.log", *argv])
    return (got[0] if got else FileOptions()), code


def test_file_options_default_to_ecs(register: Register) -> None:
    options, code = options_of(register, [])
    spec = options.spec()
    assert code == 0
    assert (spec.message_field, spec.time_field) == ("message", "@timestamp")
    assert spec.session == SessionRule()
    # Without a key there are only windows.
    assert options.grouping_window() == timedelta(minutes=5)


def test_file_options_of_a_key(register: Register) -> None:
    options, _ = options_of(register, ["--session-field", "trace.id"])
    assert options.spec().session == SessionRule(field="trace.id")
    assert options.grouping_window() is None
    options, _ = options_of(register, ["--session-pattern", "blk_-?\\d+"])
    assert options.spec().session == SessionRule(pattern="blk_-?\\d+")
    cut = ["--session-field", "a", "--session-field", "b", "--window", "5m"]
    options, _ = options_of(register, cut)
    assert options.spec().session == SessionRule(fields=("a", "b"), window_s=300)
    assert options.grouping_window() == timedelta(minutes=5)
    # A key of several fields is one session all the same, unless --window cuts it.
    options, _ = options_of(register, cut[:4])
    assert options.spec().key_fields == ("a", "b")
    assert options.grouping_window() is None


def test_file_options_of_a_source(register: Register, tmp_path: Path) -> None:
    config = tmp_path / "elkwatch.yml"
    config.write_text(
        "elasticsearch: {hosts: 'https://es:9200'}\n"
        "sources:\n"
        "  - {name: hosts, index: l-*, message_field: body.text,\n"
        "     session: {fields: [host.name], window: 1m}}\n"
        "  - {name: keyless, index: k-*}\n"
    )
    argv = ["--config", str(config), "--source"]
    options, _ = options_of(register, [*argv, "hosts"])
    assert options.spec().message_field == "body.text"
    assert options.grouping_window() == timedelta(minutes=1)
    options, _ = options_of(register, [*argv, "keyless"])
    assert options.grouping_window() == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--session-field", "a", "--session-pattern", "b"], "not both"),
        (["--session-pattern", "b("], "bad regular expression 'b(' at position 1"),
        (
            ["--window", "5"],
            "expected a duration such as 90s, 10m, 1h or 7d, found '5'",
        ),
        (["--window", "0s"], "expected a duration longer than zero"),
        (["--source", "x", "--time-field", "t"], "--source x says what --time-field"),
        (["--source", "x", "--config", "none.yml"], "none.yml: no such configuration"),
    ],
)
def test_file_options_that_cannot_be(
    argv: list[str],
    line: str,
    register: Register,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert options_of(register, argv)[1] == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_config_show_masks_and_check_refuses(tmp_path: Path) -> None:
    config = tmp_path / "elkwatch.yml"
    config.write_text(
        "elasticsearch: {hosts: ['https://es:9200'], api_key: in-the-file}\n"
        "sources: [{name: s, index: l-*}]\n"
    )
    shown = process("config", "show", cwd=tmp_path)
    assert "api_key: '**********'" in shown.stdout
    assert "in-the-file" not in shown.stdout + shown.stderr
    assert process("config", "check", cwd=tmp_path).stdout == (
        "elkwatch.yml: fine; sources: s\n"
    )
    broken = process(
        "config", "check", cwd=tmp_path, env={"ELKWATCH__SCHEDULE__INTERVAL": "soon"}
    )
    assert broken.returncode == 2
    assert broken.stderr.startswith("elkwatch: ELKWATCH__SCHEDULE__INTERVAL: schedule.")
    assert parse_duration("1m") == timedelta(minutes=1)


def test_a_command_does_not_inherit_the_masks_of_another(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program_log.mask_excerpts(lambda text: text.replace("nowhere", "…"))
    shell.run(["config", "check", "--config", str(tmp_path / "nowhere.yml")])
    assert "nowhere.yml" in capsys.readouterr().err
