"""Watching elkwatch itself: is it alive, is it ready, and its figures for Prometheus.

Service ─tells─▶ Pulse ─▶ /healthz, /readyz
                 ServiceMetrics ─▶ /metrics
"""

from elkwatch.monitoring.metrics import ServiceMetrics
from elkwatch.monitoring.pulse import Answer, Pulse
from elkwatch.monitoring.server import MonitoringServer
from elkwatch.monitoring.watcher import Watcher

__all__ = ["Answer", "MonitoringServer", "Pulse", "ServiceMetrics", "Watcher"]
