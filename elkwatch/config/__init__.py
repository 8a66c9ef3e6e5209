"""The configuration: `elkwatch.yml`, environment variables, typed and frozen.

    config = load_config(None, os.environ)
    config.sources[0].session_timeout      # timedelta
    config.elasticsearch.api_key           # SecretStr, shown as **********

`elkwatch.config.translate` turns it into the records the packages take.
"""

from elkwatch.config.channels import (
    AlertingSettings,
    EmailChannel,
    SmtpSettings,
    WebhookChannel,
)
from elkwatch.config.load import (
    DEFAULT_FILE,
    FILE_VARIABLE,
    find_config,
    load_config,
    secret_values,
    source_named,
)
from elkwatch.config.places import ElasticsearchSettings, KibanaSettings
from elkwatch.config.secret_files import secret_files
from elkwatch.config.settings import (
    Config,
    LimitSettings,
    MaskSettings,
    PrivacySettings,
    ResultSettings,
    RetentionSettings,
    ScheduleSettings,
)
from elkwatch.config.sources import SessionSettings, SourceSettings
from elkwatch.config.values import (
    StartPoint,
    check_pattern,
    duration_text,
    parse_duration,
    parse_start,
)

__all__ = [
    "DEFAULT_FILE",
    "FILE_VARIABLE",
    "AlertingSettings",
    "Config",
    "ElasticsearchSettings",
    "EmailChannel",
    "KibanaSettings",
    "LimitSettings",
    "MaskSettings",
    "PrivacySettings",
    "ResultSettings",
    "RetentionSettings",
    "ScheduleSettings",
    "SessionSettings",
    "SmtpSettings",
    "SourceSettings",
    "StartPoint",
    "WebhookChannel",
    "check_pattern",
    "duration_text",
    "find_config",
    "load_config",
    "parse_duration",
    "parse_start",
    "secret_files",
    "secret_values",
    "source_named",
]
