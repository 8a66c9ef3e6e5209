"""Checks everything a running elkwatch needs, and says how to mend what is broken.

    Case ─▶ checks of each group ─▶ examine ─▶ Line …

    machine    files, packages, device, memory, disk, port
    cluster    connection, certificate, version, health, clock, privileges
    written    index templates, mappings, lease, dead letters, last run
    sources    fields, newest lines, cursor
    models     bundle, age, fit
    channels   messages, mail, webhooks
    kibana_pages   status, key, space, dashboards

Nothing is written anywhere, and nothing sent unless that is asked for.
"""

from elkwatch.doctor.case import Case
from elkwatch.doctor.examination import examine
from elkwatch.doctor.groups import all_checks
from elkwatch.doctor.records import Check, Line, Outcome, Status

__all__ = ["Case", "Check", "Line", "Outcome", "Status", "all_checks", "examine"]
