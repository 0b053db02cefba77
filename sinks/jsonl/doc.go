// Package jsonl is to be the sink that writes rotating JSON lines. Nothing is in it yet.
package jsonl
