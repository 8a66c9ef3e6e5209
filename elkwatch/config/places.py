"""The machines elkwatch talks to: Elasticsearch and Kibana."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from elkwatch.config.base import Settings
from elkwatch.config.secrets import ConfigPath, Secret
from elkwatch.config.values import Address, OneOrSeveral, PositiveDuration


class ElasticsearchSettings(Settings):
    """Where Elasticsearch is and who we are there."""

    hosts: Annotated[tuple[Address, ...], OneOrSeveral, Field(min_length=1)] = Field(
        description="Addresses with scheme and port."
    )
    api_key: Secret | None = Field(None, description="API key, encoded or `id:key`.")
    username: str | None = Field(None, description="User, where there is no API key.")
    password: Secret | None = Field(None, description="The password of that user.")
    ca_certs: ConfigPath | None = Field(
        None, description="PEM file of the CA that signed the server's certificate."
    )
    ssl_assert_fingerprint: str | None = Field(
        None, description="SHA-256 of the server's certificate, instead of a CA."
    )
    request_timeout: PositiveDuration = Field(
        timedelta(seconds=30), description="How long one request may take."
    )
    compress: bool = Field(
        False, description="Whether requests and answers travel compressed (gzip)."
    )

    @model_validator(mode="after")
    def _one_identity(self) -> ElasticsearchSettings:
        _check_identity(self.api_key, self.username, self.password)
        return self


class KibanaSettings(Settings):
    """Where Kibana is: to install dashboards, and for links in messages."""

    url: Address = Field(description="As people open it, with a base path if any.")
    api_key: Secret | None = Field(None, description="API key for `dashboards`.")
    username: str | None = Field(None, description="User, where there is no API key.")
    password: Secret | None = Field(None, description="The password of that user.")
    ca_certs: ConfigPath | None = Field(None, description="PEM file of the CA.")
    ssl_assert_fingerprint: str | None = Field(
        None, description="SHA-256 of its certificate, instead of a CA."
    )
    space: str = Field("default", min_length=1, description="The Kibana space.")

    @model_validator(mode="after")
    def _one_identity(self) -> KibanaSettings:
        _check_identity(self.api_key, self.username, self.password)
        return self


def _check_identity(
    api_key: SecretStr | None, username: str | None, password: SecretStr | None
) -> None:
    if api_key is not None and (username is not None or password is not None):
        raise ValueError("give api_key, or username and password, not both")
    if (username is None) != (password is None):
        raise ValueError("username and password go together")
