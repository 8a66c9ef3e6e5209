"""The ids of everything elkwatch puts into Kibana. Once released they never change."""

FINDINGS_VIEW = "elkwatch-findings"
RUNS_VIEW = "elkwatch-runs"
LATEST = "elkwatch-latest-findings"
OVERVIEW = "elkwatch-overview"
CLASS_DETAIL = "elkwatch-class-detail"
PIPELINE_HEALTH = "elkwatch-pipeline-health"

#: What a finding must be to be counted: not withdrawn, and anomalous.
OPEN = 'elkwatch.status : "open" and elkwatch.anomaly : true'
