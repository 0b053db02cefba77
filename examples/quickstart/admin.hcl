# Metrics, health and readiness: http://127.0.0.1:9464/metrics, /healthz, /readyz
admin { address = "127.0.0.1:9464" }
