package pool

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// session is one connection.
type session struct {
	pool   *Pool
	conn   net.Conn
	number int

	mu          sync.Mutex // held from a change of state until it is written
	extranonce1 []byte
	subscribed  bool
	wantsNonce  bool // it asked for mining.set_extranonce
	rolls       bool // it negotiated version rolling
	asked       uint32
	mask        uint32
	difficulty  float64
	names       map[string]bool // authorised
	issued      map[string]*issue
	order       []string // of issued
	notified    int
	late        chan delayed // nil unless replies are slow
}

type delayed struct {
	due   time.Time
	lines []string
}

// request is a line from a miner.
type request struct {
	ID     json.RawMessage `json:"id"`
	Method *string         `json:"method"`
	Params json.RawMessage `json:"params"`
}

// writeTimeout is short, since a job goes to one miner after the other.
const writeTimeout = 2 * time.Second

// mostLine bounds the line of a miner where no quirk does.
const mostLine = 64 << 10

func (s *session) name() string { return fmt.Sprintf("#%d %s", s.number, s.conn.RemoteAddr()) }

// run reads until the connection ends.
func (s *session) run(ctx context.Context) {
	if s.pool.config.ReplyDelay > 0 {
		ctx, cancel := context.WithCancel(ctx)
		s.late = make(chan delayed, 1024)
		done := make(chan struct{})
		go func() { defer close(done); s.sendLate(ctx) }()
		defer func() { cancel(); <-done }()
	}
	limit := s.pool.config.LineLimit
	if limit == 0 {
		limit = mostLine
	}
	in := bufio.NewReaderSize(s.conn, limit+1)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			s.pool.update(func() { s.pool.stats.TooLong++ })
			s.pool.log(fmt.Sprintf("line of more than %d bytes from %s", limit, s.name()))
		}
		if err != nil {
			return
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 && !s.take(line) {
			return
		}
	}
}

// sendLate sends slow replies in their order.
func (s *session) sendLate(ctx context.Context) {
	for {
		select {
		case reply := <-s.late:
			timer := time.NewTimer(time.Until(reply.due))
			select {
			case <-timer.C:
				s.mu.Lock()
				s.send(reply.lines...)
				s.mu.Unlock()
			case <-ctx.Done():
				timer.Stop()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// take handles one line; false if the connection ends with it.
func (s *session) take(line []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var r request
	if err := json.Unmarshal(line, &r); err != nil || line[0] != '{' {
		s.pool.update(func() { s.pool.stats.Invalid++ })
		s.pool.recordMessage(Message{time.Now(), s.number, false, "", string(line)})
		s.send("Invalid JSON, disconnecting") // ckpool's very words
		return false
	}
	method := ""
	if r.Method != nil {
		method = *r.Method
	}
	s.pool.recordMessage(Message{time.Now(), s.number, false, method, string(line)})
	switch {
	case s.pool.config.BlackHole || r.Method == nil:
	case s.pool.config.Garbage:
		s.reply("\x00\xff<html>400 Bad Request</html>")
	default:
		s.answer(method, r)
	}
	return true
}

// reply sends lines, the first of which is a reply. The caller holds s.mu.
func (s *session) reply(lines ...string) {
	if s.late == nil {
		s.send(lines...)
		return
	}
	select {
	case s.late <- delayed{time.Now().Add(s.pool.config.ReplyDelay), lines}:
	default:
		_ = s.conn.Close() // it asks faster than anyone could answer
	}
}

// send writes lines in one piece. The caller holds s.mu.
func (s *session) send(lines ...string) {
	if len(lines) == 0 {
		return
	}
	for _, line := range lines {
		var r request
		method := ""
		if json.Unmarshal([]byte(line), &r) == nil && r.Method != nil {
			method = *r.Method
		}
		s.pool.recordMessage(Message{time.Now(), s.number, true, method, line})
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.conn.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		_ = s.conn.Close()
	}
}

// result is the line of a reply without an error.
func result(r request, value string) string {
	return fmt.Sprintf(`{"result":%s,"error":null,"id":%s}`, value, id(r))
}

// failure is the line of a reply with one.
func failure(r request, value string, code int, text string) string {
	return fmt.Sprintf(`{"result":%s,"error":[%d,%s,null],"id":%s}`, value, code, strconv.Quote(text), id(r))
}

func id(r request) string {
	if r.ID == nil {
		return "null"
	}
	return string(r.ID)
}

// decimal writes a number without an exponent.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
