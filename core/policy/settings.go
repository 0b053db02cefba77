package policy

import (
	"net"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// buildSettings reads the blocks admin and log.
func (l *loader) buildSettings() {
	for _, b := range l.blocks["admin"] {
		args := l.argumentsOf(b, adminBlock)
		l.policy.Admin.Address = l.listenAddress(args, "address")
		if l.policy.Admin.Address != "" {
			l.checkTaken(l.policy.Admin.Address, args.at("address"), "admin")
		}
		l.policy.Admin.Socket = args.text("socket")
		l.readToken(args)
		if a := l.policy.Admin; a.Address != "" && a.Token == "" && !isLoopback(a.Address) && !args.isGiven("token") {
			l.warn(args.at("address"), "Admin address without a token", "Others than this machine can reach this address, and there is no token that they would have to know. "+
				"So it serves /healthz and /readyz, and nothing else. Give it a token, or an address of this machine as in \"127.0.0.1:9464\".")
		}
	}
	for _, b := range l.blocks["log"] {
		args := l.argumentsOf(b, logBlock)
		l.policy.Log.Level = args.choice("level")
		l.policy.Log.Format = args.choice("format")
	}
}

// leastToken is the fewest characters of a token: a shorter one can be guessed.
const leastToken = 16

// readToken reads the token of admin, which nothing may show.
func (l *loader) readToken(args arguments) {
	attr := args.attrs["token"]
	if attr == nil {
		return
	}
	l.hide(attr.Range)
	value := l.evalSecret(attr.Expr, args.scope)
	value, _ = value.UnmarkDeep()
	switch {
	case !value.IsKnown():
	case value.IsNull() || value.Type() != cty.String:
		l.fail(attr.Expr.Range(), "Wrong token", "A token is a text.")
	case len(value.AsString()) < leastToken:
		l.fail(attr.Expr.Range(), "Wrong token", "A token has %d characters or more, since who guesses it can move every miner.", leastToken)
	default:
		l.keepSecret(value.AsString())
		l.policy.Admin.Token = value.AsString()
	}
}

// isLoopback reports whether only this machine can reach an address.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// argumentsOf reads the arguments of a top-level block without inner blocks.
func (l *loader) argumentsOf(b *block, kind *blockType) arguments {
	content, _ := l.contentOf(b.Body, kind)
	return arguments{l, kind, l.policyScope(b.src, earlyLocals), content.Attributes}
}

// listenAddress reads an address to listen on, as in ":3333" or "127.0.0.1:9464".
func (l *loader) listenAddress(args arguments, name string) string {
	value, ok := args.value(name, cty.String)
	if !ok {
		return ""
	}
	l.doubtSensitive(args, name, "addresses that are listened on are in logs and metrics")
	if problem := checkListen(value.AsString()); problem != "" {
		l.fail(args.at(name), "Wrong address to listen on", "%s An address to listen on is \":3333\" for all interfaces, or one of this machine's, as in \"127.0.0.1:3333\" or \"[::1]:3333\".", problem)
		return ""
	}
	return value.AsString()
}

// checkListen says what is wrong with an address to listen on.
func checkListen(address string) string {
	if strings.Contains(address, "://") {
		return "There is a scheme in front of it."
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "It is not of the form host:port."
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "The port is not a number from 0 to 65535."
	}
	if strings.ContainsAny(host, " /@") {
		return "The host is malformed."
	}
	return ""
}

// warnNotYet warns of what this version reads but does not act on, so that nobody relies on
// it.
func (l *loader) warnNotYet(at hcl.Range, detail string) {
	l.warn(at, "Not acted on yet", "%s", detail)
}
