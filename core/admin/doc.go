// Package admin serves what operators look at, over HTTP: metrics, health, readiness.
//
//	GET /metrics   everything that is counted, for Prometheus
//	GET /healthz   200 while the process lives
//	GET /readyz    200 while miners can be served, else 503 and why not
package admin
