package policy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
)

func TestTLS(t *testing.T) {
	files(t, "conf/loka.hcl", `
pool "main" {
  server "plain" {
    address     = "stratum+tcp://a.example:3333"
    tls_ca_file = null
  }
  server "default" { address = "stratum+ssl://b.example:3443" }
  server "named" {
    address         = "stratum+ssl://[2001:db8::1]:3443"
    tls_server_name = "c.example"
    tls_ca_file     = "ca.pem"
  }
  server "careless" {
    address                  = "stratum+ssl://10.0.0.1:3443"
    tls_insecure_skip_verify = true
  }
}
proxy "main" {
  pool = pool.main
  listener "tcp" { address = "[::1]:0" }
}
`, "conf/ca.pem", string(certificate(t)))
	p := load(t, "conf", Options{})
	servers := p.Pools[0].Servers
	for i, want := range []struct {
		hostPort, name string
		skip, roots    bool
	}{
		{"a.example:3333", "", false, false},
		{"b.example:3443", "b.example", false, false},
		{"[2001:db8::1]:3443", "c.example", false, true},
		{"10.0.0.1:3443", "10.0.0.1", true, false},
	} {
		target := servers[i].Target
		if target.HostPort != want.hostPort {
			t.Errorf("server %d is at %s", i, target.HostPort)
		}
		if (target.TLS == nil) != (want.name == "") {
			t.Fatalf("server %d has TLS settings %v", i, target.TLS)
		}
		if c := target.TLS; c != nil && (c.ServerName != want.name || c.InsecureSkipVerify != want.skip ||
			(c.RootCAs != nil) != want.roots || c.MinVersion != tls.VersionTLS12) {
			t.Errorf("server %d has TLS settings %+v", i, c)
		}
	}
	if !slices.Contains(p.Files, "conf/ca.pem") {
		t.Errorf("the certificates are not among the files: %v", p.Files)
	}
}

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
