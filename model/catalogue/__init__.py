"""The class catalogue: names, severity, causes and advice, in English and 中文.

    patterns.yml   the built-in kinds, decided from explainable features
    packs          rules that recognise well-known log lines (postgresql.yml …)
    user's YAML    overrides of both, and of single classes, in the same shape

A rule names what a finding is *about*; it never decides whether there is one.
"""

from model.catalogue.checking import check_catalogue
from model.catalogue.entries import Advice, Entry, Rule
from model.catalogue.loading import LANGUAGES, SEVERITIES, Catalogue, load_catalogue

__all__ = [
    "LANGUAGES",
    "SEVERITIES",
    "Advice",
    "Catalogue",
    "Entry",
    "Rule",
    "check_catalogue",
    "load_catalogue",
]
