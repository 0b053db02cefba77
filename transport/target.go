package transport

import "crypto/tls"

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
