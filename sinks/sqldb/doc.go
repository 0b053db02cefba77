// Package sqldb is to be the sink for SQL databases, PostgreSQL and SQLite. Nothing is in
// it yet.
package sqldb
