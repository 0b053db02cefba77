package main

import (
	"context"
	"fmt"
	"net"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/admin"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// web is the admin servers while loka runs: none, one at an address, one at a Unix socket.
type web struct {
	servers []*admin.Server
	broken  chan error
}

func serveAdmin(ctx context.Context, a policy.Admin, service admin.Service, log hclog.Logger) (*web, error) {
	w := &web{broken: make(chan error, 2)}
	if a.Address != "" {
		socket, err := transport.Listen(ctx, a.Address)
		if err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
		w.serve(admin.New(socket, admin.Door{Local: isLocal(socket.Addr()), Token: a.Token}, service))
		log.Info("metrics", "url", "http://"+reachable(socket.Addr())+"/metrics")
	}
	if a.Socket != "" {
		socket, err := transport.ListenUnix(ctx, a.Socket)
		if err != nil {
			w.close(ctx)
			return nil, fmt.Errorf("admin: %w", err)
		}
		w.serve(admin.New(socket, admin.Door{Open: true}, service))
		log.Info("admin socket", "path", a.Socket)
	}
	return w, nil
}

func (w *web) serve(s *admin.Server) {
	w.servers = append(w.servers, s)
	go func() {
		if err := s.Serve(); err != nil {
			w.broken <- err
		}
	}()
}

func (w *web) close(ctx context.Context) {
	for _, s := range w.servers {
		_ = s.Close(ctx)
	}
}

// isLocal reports whether only this machine can reach an address that is bound.
func isLocal(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// reachable turns an address that is bound on every interface into one to type.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
