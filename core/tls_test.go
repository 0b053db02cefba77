package core_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsPool listens with a certificate for pool.example, and gives the file that holds it.
func tlsPool(t *testing.T) (l net.Listener, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pool.example"}, DNSNames: []string{"pool.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return tls.NewListener(listen(t), config), caFile
}

// answerSubscribe is a pool that answers one line and then echoes.
func answerSubscribe(nc net.Conn) {
	buf := make([]byte, 4096)
	if _, err := nc.Read(buf); err != nil {
		return
	}
	_, _ = nc.Write([]byte(subscribed + "\n"))
	for {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		if _, err := nc.Write([]byte(strings.Replace(string(buf[:n]), `"method":"x"`, `"result":true`, 1))); err != nil {
			return
		}
	}
}

func TestTLSToThePool(t *testing.T) {
	l, ca := tlsPool(t)
	go serve(l, answerSubscribe)
	for name, c := range map[string]struct {
		options string
		works   bool
	}{
		"verified":          {`tls_ca_file = "` + ca + `", tls_server_name = "pool.example"`, true},
		"unknown authority": {`tls_server_name = "pool.example"`, false},
		"another name":      {`tls_ca_file = "` + ca + `", tls_server_name = "other.example"`, false},
		"its own address":   {`tls_ca_file = "` + ca + `"`, false},
		"not verified":      {`tls_insecure_skip_verify = true`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := performPolicy(t, `
pool "p" {
  server "a" {
    address = "stratum+ssl://`+l.Addr().String()+`"
    `+strings.ReplaceAll(c.options, ", ", "\n    ")+`
  }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
			miner := s.miner()
			miner.send(subscribe)
			if !c.works {
				miner.wantClosed()
				if !strings.Contains(s.log.String(), "x509") {
					t.Error("the log does not say why")
				}
				return
			}
			miner.want(subscribed)
			miner.send(`{"id":9,"method":"x"}`)
			miner.want(`{"id":9,"result":true}`)
			_ = miner.nc.Close()
			s.wantCount(0, "loka_sessions")
		})
	}
}
