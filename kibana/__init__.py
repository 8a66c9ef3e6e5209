"""What people look at in Kibana. Knows Kibana's formats, nothing of the rest."""

from kibana.links import discover_url, source_view_id

__all__ = ["discover_url", "source_view_id"]
