// Package policy turns policy files (HCL) into one immutable Policy.
//
// A policy says who may connect, where miners go and what happens to each message:
//
//	variable "wallet" { type = string }
//
//	pool "main" {
//	  server "eu" { address = "stratum+tcp://pool.example:3333" }
//	}
//
//	proxy "farm" {
//	  pool = pool.main
//	  listener "tcp" { address = ":3333" }
//
//	  request "mining.authorize" "to_wallet" {
//	    set { user = "var.wallet + '.' + replace(user, '.', '_')" }
//	  }
//	}
//
// Two languages meet in it. HCL is evaluated once, by Load: in the order variables,
// locals, pools, rulesets, proxies, since each may refer to what comes before it. The
// strings of when, set and reply are expressions, which package rules compiles and
// runs for every message; HCL never evaluates them, and this package hands them on as
// they stand in the file.
//
//	p, diags := policy.Load("/etc/loka", policy.Options{Environ: os.LookupEnv})
//	diags.Write(os.Stderr)
//	if diags.HasErrors() {
//		os.Exit(1)
//	}
//
// Load never stops at the first mistake: an operator gets all of them, each at its
// file, line and column with the source quoted and the remedy. That is why a value
// that could not be had is unknown rather than missing, so that what needs it is left
// out in silence; why a file whose only fault is the quoting of an expression is read
// again without it; and why decode keeps the place of every character of an
// expression. An error that an expression meets later, on a message, finds its way
// back by Locate and Diagnose.
//
// LoadTests reads the files *.test.hcl, which test policies, as Load reads policies: all
// mistakes at once, and every value of a test with its place, for the words on a failure.
//
// Nothing is dialled, bound or run here, and no other package knows HCL. The files of
// the package follow a load: load.go is the order of things; files.go, repair.go and
// unfold.go read, variables.go to proxies.go build, ruleblocks.go and compile.go make rules,
// testfiles.go to testexpect.go read what tests a policy, doubts.go and unused.go warn of
// what can hardly be meant, srcmap.go, report.go, blame.go and words.go find the words
// and the places for what is wrong, secrets.go and raw.go keep sensitive values out of them, and
// work.go bounds what a policy can make a load do. Beside it, format.go is the layout of
// the files; blocktable.go has every block and argument, for the decoder and for the
// reference (reference.go); watch.go tells when the files change.
package policy
