"""What people said of findings, kept in Elasticsearch, and what it changes.

finding ─▶ signature ─▶ Opinion (who, what, scope, until) ─▶ FeedbackBook
next run: verdict ─▶ Opinions.review ─▶ suppressed, re-kinded, or as it was
next training: findings of the period ─▶ labels
"""

from elkwatch.feedback.book import FeedbackBook
from elkwatch.feedback.findings import Touched
from elkwatch.feedback.opinion import SCOPES, Opinion, Scope, Subject
from elkwatch.feedback.opinions import NO_OPINIONS, Opinions, Reviewed, holding
from elkwatch.feedback.signature import signature_of

__all__ = [
    "NO_OPINIONS",
    "SCOPES",
    "FeedbackBook",
    "Opinion",
    "Opinions",
    "Reviewed",
    "Scope",
    "Subject",
    "Touched",
    "holding",
    "signature_of",
]
