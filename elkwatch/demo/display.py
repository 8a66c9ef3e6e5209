"""What the demo prints: the findings by class, and one with its advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

SEVERITY_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
}


def findings_table(findings: Sequence[Mapping[str, Any]]) -> Table:
    """Findings by class, the most frequent first."""
    table = Table(title="Findings by class", title_justify="left", expand=False)
    for heading in ("class", "name", "severity", "findings"):
        table.add_column(heading, overflow="fold")
    counts = Counter(
        (f["rule"]["id"], f["rule"]["name"], f["elkwatch"]["severity"])
        for f in findings
    )
    for (class_id, name, severity), count in counts.most_common():
        style = SEVERITY_STYLES.get(severity, "")
        table.add_row(class_id, Text(name), Text(severity, style=style), str(count))
    return table


def advice_panel(finding: Mapping[str, Any]) -> Panel:
    """One finding: what to do, and the lines it rests on. Log text is plain text."""
    own = finding["elkwatch"]
    text = Text()
    text.append("What to do  ", style="bold")
    text.append(finding["rule"]["description"] + "\n\n")
    text.append(f"Session {own['session']['id']}, risk {own['risk']}\n", style="bold")
    for line in own.get("evidence", [])[:4]:
        message = line["message"] or line["template"]
        text.append(f"  {line['surprise_nats']:5.1f} nats  ", style="red")
        text.append(message[:90] + "\n")
        if line["expected"]:
            template, chance = line["expected"][0]
            text.append(
                f"              expected: {template[:70]} ({chance:.0%})\n", style="dim"
            )
    title = f"{finding['rule']['name']} on {finding.get('service', {}).get('name', '')}"
    return Panel(text, title=title, title_align="left", border_style="red")
