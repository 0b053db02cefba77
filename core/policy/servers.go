package policy

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/transport"
)

const (
	schemeTCP = "stratum+tcp"
	schemeSSL = "stratum+ssl"
)

// buildServers makes the servers of a pool, in their order.
func (l *loader) buildServers(b *referable[Pool], inst instance, by Strategy) []*Server {
	first := map[string]hcl.Range{}
	var servers []*Server
	blocks, complete := l.expand(b.Body, inst.scope, "server", "name")
	for _, inner := range blocks {
		name := inner.Labels[0]
		at, taken := first[name]
		switch {
		case taken:
			l.fail(inner.DefRange, "Name given twice", "%s already has a server %q, at %s.", inst.address, name, position(at))
			continue
		case name == "" || len(name) > 100 || strings.ContainsFunc(name, isBlankOrControl):
			l.fail(inner.DefRange, "Malformed name", "The name of a server is a text without spaces and control characters, 100 bytes at most.")
		}
		first[name] = inner.DefRange
		if server := l.buildServer(b, inner, inst, by); server != nil {
			servers = append(servers, server)
		}
	}
	if len(blocks) == 0 && complete {
		l.fail(b.DefRange, "Pool without servers", "%s has no server. It needs one, as in server \"main\" { address = \"stratum+tcp://pool.example:3333\" }.", inst.address)
	}
	return servers
}

func isBlankOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

func (l *loader) buildServer(b *referable[Pool], inner *hcl.Block, inst instance, by Strategy) *Server {
	content, _ := l.contentOf(inner.Body, serverBlock)
	args := arguments{l, serverBlock, inst.scope, content.Attributes}
	server := &Server{Name: inner.Labels[0], Weight: args.number("weight")}
	if by != Weighted && args.isGiven("weight") {
		l.warn(args.attrs["weight"].Range, "Weight that does nothing", "The strategy of %s is %q, which does not look at weights. For that it is \"weighted\".", inst.address, string(by))
	}
	scheme, ok := l.readAddress(args, &server.Target)
	config := l.readTLS(b, args)
	switch {
	case !ok:
		return nil
	case scheme == schemeSSL:
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(server.Target.HostPort)
		}
		server.Target.TLS = config
	default:
		l.refuseTLS(args)
	}
	return server
}

// readAddress reads stratum+tcp://host:port.
func (l *loader) readAddress(args arguments, target *transport.Target) (scheme string, ok bool) {
	value, ok := args.value("address", cty.String)
	if !ok {
		return "", false
	}
	l.doubtSensitive(args, "address", "addresses of servers are in logs and records")
	address := value.AsString()
	scheme, hostPort, problem := splitAddress(address)
	if problem != "" {
		l.fail(args.at("address"), "Wrong server address", "%s An address is stratum+tcp://host:port or stratum+ssl://host:port.", problem)
		return "", false
	}
	target.URL, target.HostPort = address, hostPort
	return scheme, true
}

// splitAddress takes an address apart, or says what is wrong with it.
func splitAddress(address string) (scheme, hostPort, problem string) {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return "", "", "There is no scheme in it."
	}
	if scheme != schemeTCP && scheme != schemeSSL {
		return "", "", "The scheme is not known." + didYouMean(scheme, []string{schemeTCP, schemeSSL})
	}
	host, port, err := net.SplitHostPort(rest)
	switch {
	case strings.Contains(rest, "@"):
		return "", "", "There is a user or a password in it; names are set by the rules of mining.authorize."
	case strings.ContainsAny(rest, "/?#"):
		return "", "", "There is more behind the port."
	case strings.Count(rest, ":") > 1 && !strings.HasPrefix(rest, "["):
		return "", "", "An IPv6 address goes in brackets, as in [2001:db8::1]:3333."
	case !strings.Contains(rest[strings.LastIndexByte(rest, ']')+1:], ":"), err == nil && port == "":
		return "", "", "The port is missing."
	case err != nil || host == "" || strings.ContainsFunc(host, isBlankOrControl):
		return "", "", "The host is missing or malformed."
	case strings.Contains(host, ":") && net.ParseIP(host) == nil:
		return "", "", "The IPv6 address in brackets is malformed."
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", "The port is not a number from 1 to 65535."
	}
	return scheme, rest, ""
}

// readTLS makes the TLS settings of a server. They are read in any case, so that
// their mistakes are reported whatever the address is.
func (l *loader) readTLS(b *referable[Pool], args arguments) *tls.Config {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         args.text("tls_server_name"),
		InsecureSkipVerify: args.flag("tls_insecure_skip_verify"),
	}
	if name := args.text("tls_ca_file"); name != "" {
		config.RootCAs = l.readCA(b, args.at("tls_ca_file"), name)
	}
	return config
}

func (l *loader) readCA(b *referable[Pool], at hcl.Range, name string) *x509.CertPool {
	full := beside(b.src, name)
	content, err := l.inputs.read(full, maxDataBytes)
	if err != nil {
		l.failFile(full, whyNot(err), &at)
		return nil
	}
	certificates := x509.NewCertPool()
	if !certificates.AppendCertsFromPEM(content) {
		l.fail(at, "No certificate in file", "%s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).", full)
		return nil
	}
	return certificates
}

// refuseTLS refuses TLS settings of a server that is dialled without TLS: somebody
// believes that they do something.
func (l *loader) refuseTLS(args arguments) {
	for _, name := range []string{"tls_ca_file", "tls_server_name", "tls_insecure_skip_verify"} {
		if attr := args.attrs[name]; args.isGiven(name) {
			l.fail(attr.NameRange, "TLS argument without TLS", "This server is dialled without TLS, so %s does nothing. For TLS its address begins with stratum+ssl://.", name)
		}
	}
}
