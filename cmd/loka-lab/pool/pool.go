// Package pool is a small but real mining pool: it makes jobs, checks every share by double SHA-256, and remembers
// all that it saw, so that a test can ask for it, or wait for it.
//
// It speaks like ckpool unless its quirks say otherwise. It knows nothing of the proxy, whose judge it is.
package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/await"
	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// Config says what kind of pool it is. The zero Config is a pool like ckpool, with difficulty 1 and no jobs but the
// first one and those that Notify makes.
type Config struct {
	Extranonce1Size int // bytes; 4 if zero, none if negative
	Extranonce2Size int // bytes; 8 if zero
	Difficulty      float64
	NotifyInterval  time.Duration // of new jobs; none if zero
	CleanEvery      int           // every n-th of these jobs is clean, as if a block was found; none if zero
	Branches        int           // merkle branches of a job
	Version         uint32        // 20000000 if zero
	VersionMask     uint32        // no version rolling if zero
	Users           []string      // patterns, as of path.Match, of the names that are welcome; all if empty
	Refuse          []string      // patterns of the names that are not
	ShortNonce      bool          // take a nonce that is not padded to 8 digits, as NerdMiner sends it

	Quirks
	Forget    bool         // keep no record of messages and shares: a pool that runs for days has too many
	Log       func(string) // gets one line for everything of note; may be nil
	LogShares bool         // every accepted share is of note, not just the first one of a worker
}

// Quirks are what real pools do, and what broken ones do.
type Quirks struct {
	EarlyNotify       bool          // difficulty and job right behind the subscribe reply (ckpool, DATUM)
	SilentExtranonce  bool          // no reply to mining.extranonce.subscribe (ckpool)
	SilentSuggest     bool          // suggest_difficulty is answered with set_difficulty only (ckpool, public-pool)
	SilentUnknown     bool          // no reply to methods that it does not know (ckpool)
	RejectReason      bool          // result false, error null, and a reject-reason (ckpool)
	SmallJobIDs       bool          // job ids from 0 to 255, over and over (btcpool)
	LineLimit         int           // longer lines end the connection; 1024 with ckpool
	NullAuthorize     bool          // the result of authorize is null (p2pool)
	FlatSubscriptions bool          // ["mining.notify","id"] in the subscribe reply (p2pool)
	NotifyIDs         bool          // notifications have ids (p2pool, eloipool)
	MaskNotice        bool          // set_version_mask right behind the configure reply (btcpool, DATUM)
	AskVersion        bool          // client.get_version behind the authorize reply (eloipool)
	Ping              bool          // mining.ping behind the authorize reply and with each job (ckpool)
	ReplyDelay        time.Duration // before each reply
	BlackHole         bool          // reads, and never answers
	HangUp            bool          // closes each connection at once
	Garbage           bool          // answers what is no JSON
}

// Pool is a running pool. Its methods may be called from anywhere.
type Pool struct {
	config Config
	random *rand.Rand // guarded by broadcast

	broadcast sync.Mutex // held while something goes to all sessions, so that all get it in the same order

	gate     await.Gate // guards what follows
	stats    Stats
	messages []Message
	shares   []Share
	sessions map[int]*session
	job      work.Job
	jobs     int

	extranonces int // given out
	masked      uint32
	wanted      float64 // difficulty
}

// New makes a pool, which has a job at once.
func New(config Config) *Pool {
	orDefault(&config.Extranonce1Size, 4)
	orDefault(&config.Extranonce2Size, 8)
	orDefault(&config.Difficulty, 1)
	orDefault(&config.Version, 0x20000000)
	config.Extranonce1Size = max(config.Extranonce1Size, 0)
	p := &Pool{
		config:   config,
		random:   rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)),
		stats:    newStats(),
		sessions: map[int]*session{},
		masked:   config.VersionMask,
		wanted:   config.Difficulty,
	}
	p.job = p.makeJob(true)
	return p
}

func orDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

func (p *Pool) log(line string) {
	if p.config.Log != nil {
		p.config.Log(line)
	}
}

// Serve takes connections until the context ends, which ends them too. It closes the listener.
func (p *Pool) Serve(ctx context.Context, listener net.Listener) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	defer func() { _ = listener.Close() }()
	if p.config.NotifyInterval > 0 {
		running.Go(func() { p.notifyForever(ctx) })
	}
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			p.log("accept a connection: " + err.Error())
			continue
		}
		running.Go(func() { p.serve(ctx, conn) })
	}
}

func (p *Pool) notifyForever(ctx context.Context) {
	ticker := time.NewTicker(p.config.NotifyInterval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ticker.C:
			p.Notify(p.config.CleanEvery > 0 && n%p.config.CleanEvery == 0)
		case <-ctx.Done():
			return
		}
	}
}

// serve is one connection's life.
func (p *Pool) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if p.config.HangUp {
		p.update(func() { p.stats.Connections++ })
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	s := p.open(conn)
	s.run(ctx)
	p.update(func() {
		delete(p.sessions, s.number)
		p.stats.Open--
	})
	if ctx.Err() == nil {
		p.log("closed " + s.name())
	}
}

func (p *Pool) open(conn net.Conn) *session {
	s := &session{pool: p, conn: conn, issued: map[string]*issue{}, names: map[string]bool{}}
	p.update(func() {
		p.stats.Connections++
		p.stats.Open++
		s.number = p.stats.Connections
		s.extranonce1 = p.nextExtranonce()
		p.sessions[s.number] = s
	})
	return s
}

// update changes something and wakes those who wait for it.
func (p *Pool) update(change func()) {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	change()
	p.gate.Changed()
}
