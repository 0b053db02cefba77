// Package sinks carries what happened out of the process: events of sessions, names, shares,
// rewrites and denials, to files and databases. It knows storage, not the proxy.
//
// Nothing is in it yet: what loka counts is served at /metrics (core/meter), and audit
// blocks of a policy give a warning that they are not acted on.
package sinks
