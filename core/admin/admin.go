package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Service is what is served.
type Service struct {
	Metrics prometheus.Gatherer
	Health  Health
	Policy  Policy
	Control Control
}

// Door is a way in: who comes through it may read, and may change things with the token.
type Door struct {
	// Open says that who comes through may do everything, as through a Unix socket,
	// whose file has permissions.
	Open bool
	// Local says that only this machine can reach it, so that reading needs no token.
	Local bool
	// Token is empty where there is none; then nobody changes anything.
	Token string
}

// Health is what admin asks of the proxy.
type Health interface {
	// Ready reports why miners cannot be served, or nil. It may dial, within ctx.
	Ready(ctx context.Context) error
}

// Server is the admin server.
type Server struct {
	http   *http.Server
	socket net.Listener
}

// Timeouts of a request. Ready may have to wait for a pool that does not answer.
const (
	headerTimeout = 5 * time.Second
	readyTimeout  = 3 * time.Second
	answerTimeout = 30 * time.Second
)

// New makes a server on a bound socket, which it owns from now on.
func New(socket net.Listener, door Door, service Service) *Server {
	return &Server{socket: socket, http: &http.Server{
		Handler:           handler(door, service),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       2 * headerTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       2 * time.Minute,
	}}
}

// Serve answers requests until Close; it returns nil then.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.socket); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.Handler.ServeHTTP(w, r) }

// Addr is the bound address.
func (s *Server) Addr() net.Addr { return s.socket.Addr() }

// Close ends the server; requests under way get until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	_ = s.socket.Close() // where Serve was never called
	return nil
}

func handler(door Door, s Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := s.Health.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /metrics", door.reading(promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{})))
	p := policyPages{s.Policy}
	mux.Handle("GET /v1/policy", door.reading(http.HandlerFunc(p.status)))
	mux.Handle("POST /v1/policy/reload", door.changing(http.HandlerFunc(p.reload)))
	mux.Handle("POST /v1/policy/rollback", door.changing(http.HandlerFunc(p.rollback)))
	mux.Handle("POST /v1/policy/plan", door.changing(http.HandlerFunc(p.plan))) // it reads files
	mux.Handle("GET /v1/moves", door.reading(http.HandlerFunc(operatorPages{s.Control}.moves)))
	operate(mux, door, s.Control)
	return mux
}
