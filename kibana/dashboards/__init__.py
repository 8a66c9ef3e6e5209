"""The dashboards, one file each; shared.py is what they have in common."""
