package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// keepAlive finds a peer that is gone without a word within about a minute and a half.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3}

// Target is where to dial: one server.
type Target struct {
	// URL is the address as configured, for logs and errors.
	URL string
	// HostPort is what is dialled, as in "stratum.example:3333". The name is resolved
	// at each dial.
	HostPort string
	// TLS is nil for plain TCP. It is cloned for each dial.
	TLS *tls.Config
}

// Same reports whether two targets are dialled in the same way.
func (t Target) Same(o Target) bool {
	if t.URL != o.URL || t.HostPort != o.HostPort || (t.TLS == nil) != (o.TLS == nil) {
		return false
	}
	return t.TLS == nil || t.TLS.ServerName == o.TLS.ServerName && t.TLS.InsecureSkipVerify == o.TLS.InsecureSkipVerify &&
		(t.TLS.RootCAs == nil) == (o.TLS.RootCAs == nil) && (t.TLS.RootCAs == nil || t.TLS.RootCAs.Equal(o.TLS.RootCAs))
}

// Dial connects to a target: name, TCP and, where asked for, TLS, all within timeout.
// TCP_NODELAY is on.
func Dial(ctx context.Context, t Target, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nc, err := (&net.Dialer{KeepAliveConfig: keepAlive, Control: boundSilence}).DialContext(ctx, "tcp", t.HostPort)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", t.URL, err)
	}
	if t.TLS == nil {
		return nc, nil
	}
	secure := tls.Client(nc, t.TLS.Clone())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("dial %s: TLS: %w", t.URL, err)
	}
	return secure, nil
}
