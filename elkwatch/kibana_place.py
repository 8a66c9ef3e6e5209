"""Kibana as the configuration names it, and what is remembered of it."""

from __future__ import annotations

from elasticsearch import Elasticsearch

from connector import ElasticStateStore
from elkwatch.config import Config, translate
from elkwatch.errors import ConfigError
from elkwatch.installed_objects import ElasticInstallStore
from kibana import KibanaClient


def open_kibana(
    config: Config, *, space: str | None = None, api_key: str | None = None
) -> KibanaClient:
    """A client of Kibana; nothing is sent yet. `space` instead of the configured one.

    `api_key` is used where the configuration names nobody. Raises ConfigError where
    there is no Kibana in it, KibanaConfigError.
    """
    settings = config.kibana
    if settings is None:
        raise ConfigError(
            "kibana.url is not set; set it, e.g. https://kibana:5601, with an api_key"
        )
    if settings.api_key is not None or settings.username is not None:
        api_key = None
    return KibanaClient(translate.kibana_config(settings, space=space, api_key=api_key))


def install_store(client: Elasticsearch, namespace: str) -> ElasticInstallStore:
    """Where it is remembered what was installed."""
    state = ElasticStateStore(client, namespace, wait_for_refresh=True)
    return ElasticInstallStore(state)
