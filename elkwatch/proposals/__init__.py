"""What to watch in a cluster that nobody has described yet.

    survey ─▶ Proposal … + PassedOver … ─▶ configuration (YAML), table, as_json

Pure, and of use for a configured source too:

    templates_of(messages), sessions_of(events, window=…) ─▶ judge ─▶ Fitness

with `connector.sample_of(client, spec, size=…, until=…)` for the documents. Importing
it takes a second: it loads the model's template miner.
"""

from elkwatch.proposals.fitness import (
    Fitness,
    SessionFigures,
    TemplateFigures,
    judge,
    key_score,
    sessions_of,
    templates_of,
    unfit_key,
    unfit_texts,
)
from elkwatch.proposals.propose import Measured, Proposal
from elkwatch.proposals.survey import SAMPLE_SIZE, Survey, survey
from elkwatch.proposals.told import as_json, next_commands, table
from elkwatch.proposals.written import configuration, named

__all__ = [
    "SAMPLE_SIZE",
    "Fitness",
    "Measured",
    "Proposal",
    "SessionFigures",
    "Survey",
    "TemplateFigures",
    "as_json",
    "configuration",
    "judge",
    "key_score",
    "named",
    "next_commands",
    "sessions_of",
    "survey",
    "table",
    "templates_of",
    "unfit_key",
    "unfit_texts",
]
