package transport_test

import (
	"testing"

	"github.com/loka-proxy/loka/transport"
)

func TestForeign(t *testing.T) {
	for first, want := range map[string]string{
		"\x16\x03\x01\x02\x00":               "tls",
		"GET / HTTP/1.1\r\n":                 "http",
		"POST /":                             "http",
		"HEAD / HTTP/1.0":                    "http",
		"CONNECT pool:3333 HTTP/1.1":         "http_connect",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n": "proxy_protocol",
		"\x00\r\nQUIT\n\x21\x11":             "proxy_protocol",
		"\x7f\x01":                           "binary",
		"\x03\x00\x00\x13\x0e\xe0":           "binary", // a remote desktop
		"{\"id\":1}":                         "",
		"[1]":                                "",
		"hello":                              "",
		"":                                   "",
	} {
		if got := transport.Foreign([]byte(first)); got != want {
			t.Errorf("%q: got %q, want %q", first, got, want)
		}
	}
}
