// Package miner is a mining client that really finds shares, and speaks byte for byte like one of the clients that are
// out there, with their habits and their traps.
//
// It is a witness as well: it counts whether each of its shares got exactly one reply. A thousand miners fit into one
// process, since all of them hash in turns and each can be told how often it may find a share.
package miner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/await"
)

// Config says what kind of miner it is.
type Config struct {
	Address  string // host:port
	User     string // goes out as it is, as with the real clients: mind quotes
	Password string // "x" if empty
	Kind     Kind   // CPUMiner if empty

	Suggest    float64 // difficulty that it asks for, if the client does such things; none if zero
	Extranonce bool    // asks for mining.set_extranonce, if the client can

	MaxAccepted  int           // ends with so many accepted shares; goes on for ever if zero
	MaxSubmitted int           // ends with so many submitted shares
	Interval     time.Duration // least time between two shares; none if zero
	SpoilEvery   int           // every n-th share is wrong on purpose, in four ways in turn; none if zero

	ReplyTimeout time.Duration // after which a share counts as unanswered; 10 s if zero
	LoginTimeout time.Duration // for each reply on the way in; 30 s if zero
	Backoff      time.Duration // before the first new attempt, doubled up to MaxBackoff; 100 ms if zero
	MaxBackoff   time.Duration // 5 s if zero
	Once         bool          // ends when its connection does

	Dial  func(ctx context.Context, address string) (net.Conn, error) // TCP if nil
	Trace func(sent bool, line string)                                // sees every line; may be nil
	Log   func(string)                                                // may be nil
}

// Miner is one miner. Its methods may be called from anywhere.
type Miner struct {
	config    Config
	dialect   dialect
	address   string // where client.reconnect may have sent it
	sessionID string

	gate     await.Gate // guards what follows
	stats    Stats
	done     bool
	leaving  bool   // it submits no more
	visiting *visit // the last one, or nil
}

// Stats are a miner's counters.
type Stats struct {
	Connects  int // connections made
	Logins    int // of them authorized
	Retries   int // second attempts to subscribe in one connection
	Failures  int // connections that could not be made or were lost
	LastError string

	Jobs        int
	Difficulty  float64
	Extranonce1 string

	Submitted  int
	Accepted   int
	Rejected   map[int]int // by code
	Unanswered int         // shares without a reply in time, or before the connection was lost
	Unexpected int         // replies that nobody waits for: a second one, or one with a wrong id

	Spoiled         int // submitted shares that are wrong on purpose
	WronglyAccepted int // of them
}

// RejectedTotal is the number of rejected shares.
func (s Stats) RejectedTotal() (n int) {
	for _, count := range s.Rejected {
		n += count
	}
	return n
}

// New makes a miner.
func New(config Config) *Miner {
	orDefault(&config.Password, "x")
	orDefault(&config.Kind, CPUMiner)
	orDefault(&config.ReplyTimeout, 10*time.Second)
	orDefault(&config.LoginTimeout, 30*time.Second)
	orDefault(&config.Backoff, 100*time.Millisecond)
	orDefault(&config.MaxBackoff, 5*time.Second)
	if config.Dial == nil {
		config.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address)
		}
	}
	return &Miner{config: config, dialect: dialects[config.Kind], address: config.Address, stats: Stats{Rejected: map[int]int{}}}
}

func orDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Stats returns the counters as they are now.
func (m *Miner) Stats() Stats {
	m.gate.L.Lock()
	defer m.gate.L.Unlock()
	s := m.stats
	s.Rejected = maps.Clone(s.Rejected)
	return s
}

// Wait returns when ok says so, which it is asked after every change. It must neither keep the map nor call m.
func (m *Miner) Wait(ctx context.Context, ok func(Stats) bool) error {
	if err := m.gate.Until(ctx, func() bool { return ok(m.stats) }); err != nil {
		return fmt.Errorf("wait for the miner, which is at %+v: %w", m.Stats(), err)
	}
	return nil
}

// Leave has the miner submit no more, and end once it has its answers: Run returns nil.
func (m *Miner) Leave() {
	m.gate.L.Lock()
	defer m.gate.L.Unlock()
	m.leaving = true
	if m.visiting != nil {
		m.visiting.nudge()
	}
}

func (m *Miner) update(change func(*Stats)) {
	m.gate.L.Lock()
	defer m.gate.L.Unlock()
	change(&m.stats)
	m.gate.Changed()
}

func (m *Miner) log(line string) {
	if m.config.Log != nil {
		m.config.Log(m.config.User + ": " + line)
	}
}

// errMoved says that the pool sent the miner somewhere, perhaps to where it is.
var errMoved = errors.New("the pool sent the miner away")

// Run mines until the limits are reached, then it returns nil; or until the context ends. It comes back whenever the
// connection is lost, unless it is to connect only once: then it returns why that ended.
func (m *Miner) Run(ctx context.Context) error {
	pause := m.config.Backoff
	for {
		loggedIn, err := m.visit(ctx)
		switch {
		case m.finished():
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case m.config.Once:
			return err
		case loggedIn:
			pause = m.config.Backoff
		}
		m.log(err.Error())
		if errors.Is(err, errMoved) {
			continue
		}
		m.address = m.config.Address
		if !sleep(ctx, pause/2+rand.N(pause/2+1)) {
			return ctx.Err()
		}
		pause = min(2*pause, m.config.MaxBackoff)
	}
}

func (m *Miner) finished() bool {
	m.gate.L.Lock()
	defer m.gate.L.Unlock()
	return m.done
}

// sleep waits; false if the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// visit is one connection, from dial to its end.
func (m *Miner) visit(running context.Context) (loggedIn bool, err error) {
	ctx, cancel := context.WithCancel(running)
	defer cancel()
	defer func() {
		if err != nil && !m.finished() && running.Err() == nil {
			m.update(func(s *Stats) { s.Failures++; s.LastError = err.Error() })
		}
	}()
	conn, err := m.config.Dial(ctx, m.address)
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	m.update(func(s *Stats) { s.Connects++ })

	v := newVisit(m, conn)
	m.gate.L.Lock()
	m.visiting = v
	m.gate.L.Unlock()
	if err := v.login(); err != nil {
		v.abandon()
		return false, fmt.Errorf("log in: %w", err)
	}
	hashing := make(chan struct{})
	go func() { defer close(hashing); v.mine(ctx) }()
	err = v.listen()
	cancel()
	<-hashing
	v.abandon()
	return true, err
}
