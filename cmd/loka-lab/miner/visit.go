package miner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// visit is one connection to a pool. One goroutine reads, another hashes and submits.
type visit struct {
	miner   *Miner
	dialect *dialect
	conn    net.Conn

	// For the reader only. It changes next, and hands it out as task when it has read all that has come: what a pool
	// sends in one piece belongs together.
	in      *bufio.Reader
	next    task
	wanted  float64 // difficulty from the next job on
	nonce1  []byte  // from the next job on
	size    int
	mask    uint32
	rolls   bool
	changed bool

	wake chan struct{} // tells the one who hashes to look again

	mu      sync.Mutex // guards what follows, and writing
	lastID  int
	task    task
	pending []pending
	asked   map[string]string // method by id, of requests other than submits
}

// task is what there is to hash.
type task struct {
	number      int // 0 before the first job
	clean       int // the last number from which all earlier ones are void
	job         work.Job
	extranonce1 []byte
	size        int
	mask        uint32
	difficulty  float64
}

// pending is a submit that waits for its reply.
type pending struct {
	id      string
	sent    time.Time
	spoiled bool
}

func newVisit(m *Miner, conn net.Conn) *visit {
	return &visit{
		miner: m, dialect: &m.dialect, conn: conn, in: bufio.NewReader(conn), wanted: 1,
		lastID: m.dialect.firstID - 1, wake: make(chan struct{}, 1), asked: map[string]string{},
	}
}

// message is a line from the pool.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method *string         `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
	Reason string          `json:"reject-reason"`
}

var (
	errBlank     = errors.New("a blank line, on which this client loses what follows it")
	errNotStrict = errors.New("not a JSON object")
)

// read reads one line; the deadline is that of its coming.
func (v *visit) read(patience time.Duration) (m message, err error) {
	_ = v.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		line, err := v.in.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		if v.miner.config.Trace != nil {
			v.miner.config.Trace(false, line)
		}
		switch {
		case strings.Trim(line, "\r") == "" && (v.dialect.strtok || v.dialect.strict):
			return m, errBlank
		case line == "" || v.dialect.longest > 0 && len(line) > v.dialect.longest:
			continue
		}
		m = message{}
		if json.Unmarshal([]byte(line), &m) != nil || line[0] != '{' {
			return m, fmt.Errorf("read %.60q: %w", line, errNotStrict)
		}
		return m, nil
	}
}

// send writes lines in one piece. The caller holds v.mu.
func (v *visit) send(lines ...string) {
	if v.miner.config.Trace != nil {
		for _, line := range lines {
			v.miner.config.Trace(true, line)
		}
	}
	_ = v.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := v.conn.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		_ = v.conn.Close()
	}
}

// request fills in a template, and remembers that a reply is due unless the id is null. It returns the id and the
// line. The caller holds v.mu.
func (v *visit) request(template, method string) (id, line string) {
	if strings.Contains(template, "$ID") {
		v.lastID++
	}
	config := v.miner.config
	target := work.TargetOf(config.Suggest)
	line = fill(template,
		"ID", fmt.Sprint(v.lastID), "AGENT", v.dialect.agent, "SID", v.miner.sessionID,
		"USER", config.User, "PASS", config.Password,
		"TARGET", fmt.Sprintf("%016x%016x%016x%016x", target[0], target[1], target[2], target[3]),
		"WHOLE", fmt.Sprintf("%d", int(config.Suggest)), "NUMBER", decimal(config.Suggest), "FLOAT", fmt.Sprintf("%f", config.Suggest))
	if id = idIn(template, v.lastID); id != "null" {
		v.asked[id] = method
	}
	return id, line
}

// ask sends a request and returns its id.
func (v *visit) ask(template, method string) (id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id, line := v.request(template, method)
	v.send(line)
	return id
}

// abandon counts the shares whose replies will not come any more.
func (v *visit) abandon() {
	v.mu.Lock()
	lost := len(v.pending)
	v.pending = nil
	v.mu.Unlock()
	v.miner.update(func(s *Stats) { s.Unanswered += lost })
}
