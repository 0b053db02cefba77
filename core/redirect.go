package core

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/transport"
)

// maxWait is the longest that loka waits before it goes where a pool sends it.
const maxWait = time.Minute

// redirect goes where a pool sends the miner, in its place: the miner notices no more than
// of any other move.
func (s *session) redirect(l *leg, r *exchange.Redirect) {
	if !s.follows(l, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leg != l || s.move.away {
		return
	}
	wait := min(r.Wait, maxWait)
	if s.d.opt.Now().Sub(l.began) < lasting { // it sends them round and round, perhaps
		s.move.kicks++
		wait = max(wait, retryAfter(s.move.kicks))
	}
	s.move.sentOn = true
	s.laterLocked(wait, s.wantMove)
}

// follows notes where a pool sends its miners, and reports whether loka goes there.
func (s *session) follows(l *leg, r *exchange.Redirect) bool {
	if l.endpoint.redirect(r.Host, r.Port) {
		return true
	}
	l.endpoint.astray.Do(func() {
		s.d.opt.Log.Warn("the pool sends miners to another domain, where loka does not go", "proxy", s.proxy().name, "pool", l.pool.name,
			"endpoint", l.endpoint.server.Name, "host", clip(r.Host), "session", s.id)
	})
	return false
}

// redirect notes that the server sends its miners to another, and reports whether loka
// goes there: in the same domain only, as miners do. No host is the server itself.
func (e *endpoint) redirect(host, port string) bool {
	if host == "" {
		e.sent.Store(nil)
		return true
	}
	own, ownPort, _ := net.SplitHostPort(e.server.Target.HostPort)
	if port == "" || port == "0" {
		port = ownPort
	}
	if !sameDomain(own, host) {
		return false
	}
	to := e.server.Target
	to.HostPort = net.JoinHostPort(host, port)
	to.URL = strings.Replace(to.URL, e.server.Target.HostPort, to.HostPort, 1)
	if to.TLS != nil && to.TLS.ServerName == own {
		to.TLS = to.TLS.Clone()
		to.TLS.ServerName = host
	}
	e.sent.Store(&to)
	return true
}

// sameDomain reports whether two hosts are one, or share all that is behind the first dot,
// which is what cgminer asks for; a single label there is no domain.
func sameDomain(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	_, at, _ := strings.Cut(a, ".")
	_, other, _ := strings.Cut(b, ".")
	return net.ParseIP(a) == nil && net.ParseIP(b) == nil && strings.EqualFold(at, other) && strings.Contains(strings.Trim(at, "."), ".")
}

// reach dials the server, or where it sends its miners. If nobody is there it is asked
// again itself.
func (e *endpoint) reach(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	if to := e.sent.Load(); to != nil {
		nc, err := transport.Dial(ctx, *to, timeout)
		if err == nil || ctx.Err() != nil {
			return nc, err
		}
		e.sent.CompareAndSwap(to, nil)
	}
	return transport.Dial(ctx, e.server.Target, timeout)
}
