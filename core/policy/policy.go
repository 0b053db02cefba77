package policy

import (
	"time"

	"github.com/loka-proxy/loka/rules"
	"github.com/loka-proxy/loka/transport"
)

// Policy is everything a policy says, checked and compiled. It is immutable: a reload
// makes another one.
type Policy struct {
	// Hash is the first 12 hex digits of a SHA-256 over the input files (names and
	// bytes) and the values of the variables.
	Hash string
	// Files are the files that were read, in the order in which they were.
	Files   []string
	Admin   Admin
	Log     Log
	Pools   []*Pool
	Proxies []*Proxy
	// DrainTimeout is how long living sessions may take to finish when loka stops.
	DrainTimeout time.Duration

	// secrets is what nothing that is told of the policy may show.
	secrets secrets
}

// Admin is the block admin: where metrics, health and the API are served.
type Admin struct {
	// Address is host:port, and Socket the path of a Unix socket; empty means none.
	Address, Socket string
	// Token is what those must know who change something through Address, and those who
	// only read where it is not this machine's own; empty means that nobody can.
	Token string
}

// Log is the block log.
type Log struct {
	Level  string // trace, debug, info, warn, error
	Format string // text, json
}

// Pool is one pool: servers that are tried in order.
type Pool struct {
	// Address is the pool's name in rules, logs, labels and records: pool.rental,
	// or pool.site["braiins"] for an instance of a for_each.
	Address string
	Servers []*Server
	// DialTimeout bounds the dial of one server: name, TCP and TLS.
	DialTimeout time.Duration
	// ReplyTimeout bounds the wait for the pool's first line after the first request.
	ReplyTimeout time.Duration
	// IdleTimeout closes a session whose pool has sent nothing for so long.
	IdleTimeout time.Duration
	// WriteTimeout bounds one write to the pool.
	WriteTimeout time.Duration
	// MaxLineBytes is the longest line accepted from the pool, without its end.
	MaxLineBytes int
	// MaxRequestBytes is the longest line that a rule may make for the pool. ckpool
	// drops a client whose line exceeds 1023 bytes. Lines that no rule changed are not
	// held to it.
	MaxRequestBytes int
}

// Server is one server of a pool, an endpoint.
type Server struct {
	Name   string
	Target transport.Target
}

// Proxy is one proxy: listeners, the pool their miners go to, and the rules between.
type Proxy struct {
	// Address is proxy.house, or proxy.site["braiins"] for an instance of a for_each.
	Address   string
	Pool      *Pool
	Listeners []*Listener
	Program   *rules.Program
	// Routes holds the pools that rules may route to, by address.
	Routes map[string]*Pool
}

// Listener is one socket that miners connect to.
type Listener struct {
	// Address is what is bound, as in ":3333".
	Address string
	// MaxConnections is how many miners may be connected at once; 0 means any number.
	MaxConnections int
	// MaxLineBytes is the longest line accepted from a miner, without its end.
	MaxLineBytes int
	// HandshakeTimeout bounds the wait for a miner's first line.
	HandshakeTimeout time.Duration
	// WriteTimeout bounds one write to a miner. One that does not read is closed.
	WriteTimeout time.Duration
}
