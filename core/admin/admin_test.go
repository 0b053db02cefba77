package admin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/core/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type health struct{ err error }

func (h *health) Ready(context.Context) error { return h.err }

func TestPages(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "loka_test_total", Help: "A test."})
	registry.MustRegister(counter)
	h := &health{}
	s := admin.New(socket, admin.Door{Local: true}, admin.Service{Metrics: registry, Health: h})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	base := "http://" + s.Addr().String()

	want := func(method, path string, code int, text string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != code || !strings.Contains(string(body), text) {
			t.Errorf("%s %s: %d %q", method, path, res.StatusCode, body)
		}
	}
	want("GET", "/healthz", 200, "ok\n")
	want("GET", "/readyz", 200, "ready\n")
	want("GET", "/metrics", 200, "loka_test_total 0")
	want("POST", "/healthz", 405, "")
	want("GET", "/nothing", 404, "")
	h.err = errors.New("no pool is reachable")
	want("GET", "/readyz", 503, "no pool is reachable\n")
	want("GET", "/healthz", 200, "ok\n")

	http.DefaultClient.CloseIdleConnections()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestCloseWithoutServe(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.New(socket, admin.Door{}, admin.Service{Metrics: prometheus.NewRegistry(), Health: &health{}}).Close(t.Context()); err != nil {
		t.Error(err)
	}
	if nc, err := net.Dial("tcp", socket.Addr().String()); err == nil {
		_ = nc.Close()
		t.Error("the socket is still bound")
	}
}
