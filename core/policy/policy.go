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
	// Rollout has the policy hold for some of the miners first; nil if it does not.
	Rollout *Rollout
	// DrainTimeout is how long living sessions may take to finish when loka stops.
	DrainTimeout time.Duration

	// secrets is what nothing that is told of the policy may show.
	secrets secrets
	stored  *Stored
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

// Strategy is how a server of a pool is chosen for a miner.
type Strategy string

// The strategies.
const (
	Failover      Strategy = "failover"       // the first that is well
	RoundRobin    Strategy = "round_robin"    // each in turn
	Weighted      Strategy = "weighted"       // by accepted difficulty
	LeastSessions Strategy = "least_sessions" // the one with the fewest miners
)

// Rollout is the block rollout.
type Rollout struct {
	// Percent is the share of the miners that the policy holds for first, and For how long.
	Percent int
	For     time.Duration
	// AbortIf says when the policy is given up; nil means never.
	AbortIf *rules.Condition
}

// Pool is one pool: servers that are one place to mine at.
type Pool struct {
	// Address is the pool's name in rules, logs, labels and records: pool.rental,
	// or pool.site["braiins"] for an instance of a for_each.
	Address string
	Servers []*Server
	// Strategy is how one of them is chosen.
	Strategy Strategy
	// FailbackAfter is how long an earlier server must have been up without a break before
	// miners go back to it (Failover), and how long servers must have been out of balance
	// before miners are moved (Weighted).
	FailbackAfter time.Duration
	Health        Health
	// DialTimeout bounds the dial of one server: name, TCP and TLS.
	DialTimeout time.Duration
	// ReplyTimeout bounds the wait for the pool's first line after the first request.
	ReplyTimeout time.Duration
	// ResponseTimeout is how long a pool that says nothing at all may leave a request
	// unanswered.
	ResponseTimeout time.Duration
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
	// Extranonce2Size is how many bytes its servers leave to a miner; 4 where the policy
	// does not say.
	Extranonce2Size int
}

// Health is how servers are probed while no miner tells how they are.
type Health struct {
	// Interval is from one probe of a server that stands by to the next.
	Interval time.Duration
	// Timeout bounds one probe.
	Timeout time.Duration
	// Failures is how many probes in a row must fail before a server is down.
	Failures int
}

// Server is one server of a pool, an endpoint.
type Server struct {
	Name string
	// Weight is its part of the work, beside those of the others, with Weighted.
	Weight int
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
	// Stable says that miners get an extranonce of loka's own, which Layout shares out;
	// otherwise they get the pool's.
	Stable bool
	Layout Layout
	// HoldWhenDown keeps miners that have subscribed while every server is down.
	HoldWhenDown bool
	// MaxMovesPerSecond and MaxConcurrentMoves bound how miners are moved.
	MaxMovesPerSecond  int
	MaxConcurrentMoves int
	// ReconnectGrace is how long a miner that cannot be told of a new extranonce may take
	// to reconnect.
	ReconnectGrace time.Duration
}

// Layout is how the bytes that a pool leaves to a miner are used with a stable
// extranonce: so many for loka, to tell miners apart, and so many for the miner.
type Layout struct{ Extranonce1, Extranonce2 int }

func (l Layout) bytes() int { return l.Extranonce1 + l.Extranonce2 }

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
