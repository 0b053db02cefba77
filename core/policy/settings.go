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
		if attr := args.attrs["token"]; attr != nil {
			l.hide(attr.Range)
		}
		l.notYet(args, "token", "The token is read, but the admin address asks nobody for it.")
		args.text("token")
	}
	for _, b := range l.blocks["log"] {
		args := l.argumentsOf(b, logBlock)
		l.policy.Log.Level = args.choice("level")
		l.policy.Log.Format = args.choice("format")
	}
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

// notYet warns of an argument that this version reads but does not act on, so that
// nobody relies on it.
func (l *loader) notYet(args arguments, name, detail string) {
	if attr := args.attrs[name]; args.isGiven(name) {
		l.warnNotYet(attr.Range, detail)
	}
}

func (l *loader) warnNotYet(at hcl.Range, detail string) {
	l.warn(at, "Not acted on yet", "%s", detail)
}
