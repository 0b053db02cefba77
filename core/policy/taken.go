package policy

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// listenerPlace is where an address to listen on was given, and what listens there: a
// proxy, or admin.
type listenerPlace struct {
	at      hcl.Range
	who     string
	address string
}

// everyHost stands for all addresses of the machine, and anyHost for whichever was
// given first for a port.
const (
	everyHost = ""
	anyHost   = "*"
)

// checkTaken makes sure that no two addresses to listen on are in each other's way: they
// are the same, or one is a port of every address that the machine has. Port 0 is a
// different one each time.
func (l *loader) checkTaken(address string, at hcl.Range, who string) {
	host, port := listenKey(address)
	if port == "0" {
		return
	}
	own := listenerPlace{at, who, address}
	others := []string{host, everyHost}
	if host == everyHost {
		others = []string{everyHost, anyHost}
	}
	for _, other := range others {
		if first, taken := l.listeners[net.JoinHostPort(other, port)]; taken {
			l.failTaken(first, own)
			return
		}
	}
	l.listeners[net.JoinHostPort(host, port)] = own
	if key := net.JoinHostPort(anyHost, port); l.listeners[key].who == "" {
		l.listeners[key] = own
	}
}

func (l *loader) failTaken(first, own listenerPlace) {
	const (
		summary = "Address used twice"
		remedy  = " Give one of them another port, or each an address of its own."
	)
	host, port := listenKey(first.address)
	ownHost, _ := listenKey(own.address)
	switch {
	case first.at == own.at:
		l.fail(own.at, summary, "%s and %s both listen on %s, since both are made from this block (%s). Its address must depend on each.key or each.value.",
			first.who, own.who, own.address, position(first.at))
	case host == ownHost && first.who == own.who:
		l.fail(own.at, summary, "%s already listens on %s, at %s.", first.who, first.address, position(first.at))
	case host == ownHost:
		l.fail(own.at, summary, "%s and %s both listen on %s; the other address is at %s.", first.who, own.who, own.address, position(first.at))
	case host == everyHost:
		l.fail(own.at, summary, "%s already listens on %s, at %s, which is port %s of every address of this machine, and so of this one too."+remedy,
			first.who, first.address, position(first.at), port)
	default:
		l.fail(own.at, summary, "This is port %s of every address of this machine, and %s already listens on %s, at %s."+remedy,
			port, first.who, first.address, position(first.at))
	}
}

// listenKey gives the host and the port of an address to listen on, each in one way of
// writing it.
func listenKey(address string) (host, port string) {
	host, port, _ = net.SplitHostPort(address)
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	host = strings.ToLower(host)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
		if ip.IsUnspecified() {
			host = everyHost
		}
	}
	return host, port
}
