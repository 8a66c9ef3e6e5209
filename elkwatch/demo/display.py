"""What the demo prints in the end: the findings, one with its advice, what next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

SEVERITY_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
}


def show_findings(
    console: Console, findings: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> None:
    """Prints the findings, the gravest with its advice, and how the books stand."""
    console.print()
    console.print(_findings_table(findings))
    example = next((f for f in findings if f["log"]["level"] == "critical"), None)
    example = example or (findings[0] if findings else None)
    if example is not None:
        console.print(_advice_panel(example))
    good = not summary["lost"] and not summary["duplicates"]
    console.print(
        f"{'[green]✓[/]' if good else '[red]✗[/]'} counted against Elasticsearch "
        f"and the sinks: {summary['lost']} lost, {summary['duplicates']} doubled; "
        f"{summary['mails_received']} mails, {summary['webhooks_received']} "
        "signed webhooks"
    )


def show_where_next(
    console: Console, summary: Mapping[str, Any], out: Path, url: str | None
) -> None:
    """Prints which files were written, and where Elasticsearch is, if it goes on."""
    say = console.print
    say("\n[bold]Where to look next[/]")
    say(f"  {summary['report']}  all findings with their evidence, in a browser")
    say(f"  {summary['training_report']}  what the model learned, and how well")
    if summary["preview"] is not None:
        say(f"  {summary['preview']}  the dashboards, drawn without Kibana")
    say(f"  {summary['dashboards']['file']}  the same, for Kibana to import")
    say(f"  {out / 'mail.html'}  one of the mails")
    say(f"  {out / 'webhook.json'}  one of the webhooks")
    say(f"  {out / 'summary.json'}  the figures")
    if url is not None:
        say(f"\nElasticsearch goes on at {url}; `elkwatch engine stop` ends it")
    say("\nBeside your own stack: `elkwatch --help`, and the README's ten lines")


def _findings_table(findings: Sequence[Mapping[str, Any]]) -> Table:
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


def _advice_panel(finding: Mapping[str, Any]) -> Panel:
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
