package transport

import "bytes"

// Foreign names the protocol whose first bytes these are, white space aside, when they are those of
// something that has no business on a port for lines of JSON: "tls", "http",
// "http_connect", "proxy_protocol", or "binary" for what is no text at all. It is
// empty for the rest.
func Foreign(first []byte) string {
	for _, p := range prefixes {
		if bytes.HasPrefix(first, p.bytes) {
			return p.name
		}
	}
	if len(first) > 0 && (first[0] < ' ' || first[0] >= 0x7f) {
		return "binary"
	}
	return ""
}

var prefixes = []struct {
	name  string
	bytes []byte
}{
	{"tls", []byte("\x16\x03")},
	{"http_connect", []byte("CONNECT ")},
	{"http", []byte("GET ")},
	{"http", []byte("POST ")},
	{"http", []byte("HEAD ")},
	{"http", []byte("PUT ")},
	{"http", []byte("OPTIONS ")},
	{"http", []byte("PRI * HTTP/2")},
	{"proxy_protocol", []byte("PROXY ")},
	{"proxy_protocol", []byte("\x00\r\nQUIT\n")}, // version 2, behind its line ends
}
