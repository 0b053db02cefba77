// Package ruletest is to decode *.test.hcl files and run them against a policy, through the
// same conversation (core/exchange) that sessions hold. Nothing is in it yet: a policy's
// tests are passed over when it is loaded.
package ruletest
