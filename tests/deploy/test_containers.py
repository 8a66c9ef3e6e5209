"""The files to run elkwatch in containers: valid by schema, and true to the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector import roles
from elkwatch.cli.shell import COMMANDS
from elkwatch.config import Config, load_config, translate

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STACK = DEPLOY / "compose" / "elkwatch.yml"
COMPOSE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent


def _run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(a) for a in argv], capture_output=True, text=True, timeout=120, check=False
    )


def _loaded(
    text: str, folder: Path, environ: Mapping[str, str] | None = None
) -> Config:
    """A configuration whose secret files lie in `folder`, each with a password."""
    text = re.sub(r"/run/secrets|/etc/elkwatch/secrets", str(folder), text)
    for name in re.findall(rf"{folder}/(\w+)", text + str(environ)):
        (folder / name).write_text("s3cret")
    file = folder / "elkwatch.yml"
    file.write_text(text, "utf-8")
    return load_config(file, environ or {})


def _stack(folder: Path, environ: Mapping[str, str] | None = None) -> Config:
    return _loaded(STACK.read_text("utf-8"), folder, environ)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text("utf-8"))["services"])


def test_the_compose_file_fits_the_compose_specification() -> None:
    done = _run(
        BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE
    )
    assert done.returncode == 0, done.stdout


def test_the_schema_refuses_a_wrong_compose_file(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text("utf-8").replace("mem_limit:", "memory:"))
    done = _run(
        BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", wrong
    )
    assert done.returncode == 1


def test_the_dockerfile_has_no_finding_of_the_linter() -> None:
    done = _run(BIN / "hadolint", ROOT / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_all_that_the_image_copies_is_there_and_not_ignored() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
        for name in line.split()
    ]
    let_in = set((ROOT / ".dockerignore").read_text("utf-8").splitlines())
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in let_in, name


def test_every_service_is_bounded_and_belongs_to_a_profile(
    services: Mapping[str, Any],
) -> None:
    for name, service in services.items():
        assert service.get("profiles") in (["stack"], ["sidecar"]), name
        assert "mem_limit" in service, name
        assert service.get("logging"), name


def test_our_own_services_have_no_privileges(services: Mapping[str, Any]) -> None:
    for name in ("sidecar", "setup", "elkwatch"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 1000:1000$", (ROOT / "Dockerfile").read_text(), re.M)


def test_no_service_says_a_password(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert "/run/secrets/" in value, f"{name}: {key}"


def test_nothing_listens_beyond_this_machine(services: Mapping[str, Any]) -> None:
    published = [p for s in services.values() for p in s.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_dependency_every_volume_and_secret_is_declared(
    services: Mapping[str, Any],
) -> None:
    whole = yaml.safe_load(COMPOSE.read_text("utf-8"))
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert set(service.get("secrets", ())) <= set(whole["secrets"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            elif not source.startswith("$"):
                assert source in whole["volumes"], source


def test_the_commands_of_the_files_are_commands_of_elkwatch(
    services: Mapping[str, Any],
) -> None:
    known = {command.name for command in COMMANDS if command.is_there}
    image = (ROOT / "Dockerfile").read_text("utf-8")
    called = {json.loads(m)[-1] for m in re.findall(r"^\s*CMD (\[.+\])$", image, re.M)}
    called |= {services[s]["command"][0] for s in ("setup",)}
    assert called == {"run", "health", "setup"}
    assert called <= known


def test_the_stack_has_a_valid_configuration(
    tmp_path: Path, services: Mapping[str, Any]
) -> None:
    config = _stack(tmp_path)
    assert config.elasticsearch.username == "elkwatch"
    environ = {
        key: value.replace("/run/secrets", str(tmp_path))
        for key, value in services["setup"]["environment"].items()
    }
    config = _stack(tmp_path, environ)
    assert config.elasticsearch.username == "elastic"
    assert config.kibana is not None
    assert config.kibana.username == "elastic"


def test_the_stacks_role_is_the_least_role_of_its_configuration(tmp_path: Path) -> None:
    config = _stack(tmp_path)
    specs = [translate.source_spec(source) for source in config.sources]
    kept = json.loads((DEPLOY / "compose" / "role.json").read_text("utf-8"))
    assert kept == roles(specs, config.namespace)["elkwatch_run"]


@pytest.mark.parametrize("script", sorted((DEPLOY / "compose").glob("*.sh")))
def test_the_scripts_are_sound(script: Path) -> None:
    assert _run("bash", "-n", script).returncode == 0
    assert os.access(script, os.X_OK)


@pytest.fixture
def kubernetes_objects() -> list[dict[str, Any]]:
    text = (DEPLOY / "kubernetes" / "elkwatch.yml").read_text("utf-8")
    return list(yaml.safe_load_all(text))


def test_the_kubernetes_objects_fit_their_schemas(tmp_path: Path) -> None:
    manifest = DEPLOY / "kubernetes" / "elkwatch.yml"
    validate = BIN / "kubernetes-validate"
    done = _run(validate, "--strict", manifest)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yml"
    text = manifest.read_text("utf-8")
    wrong.write_text(text.replace("livenessProbe", "lifeProbe"))
    assert _run(validate, "--strict", wrong).returncode != 0


def test_the_kubernetes_configuration_is_valid(
    tmp_path: Path, kubernetes_objects: list[dict[str, Any]]
) -> None:
    (config_map,) = (o for o in kubernetes_objects if o["kind"] == "ConfigMap")
    config = _loaded(config_map["data"]["elkwatch.yml"], tmp_path)
    assert config.sources[0].name == "shop"


def test_the_probes_ask_where_elkwatch_answers(
    kubernetes_objects: list[dict[str, Any]],
) -> None:
    (deployment,) = (o for o in kubernetes_objects if o["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (config_map,) = (o for o in kubernetes_objects if o["kind"] == "ConfigMap")
    listen = yaml.safe_load(config_map["data"]["elkwatch.yml"])["monitoring"]["listen"]
    (port,) = container["ports"]
    assert listen.endswith(f":{port['containerPort']}")
    probes = {
        container[p]["httpGet"]["path"]
        for p in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert probes == {"/healthz", "/readyz"}
