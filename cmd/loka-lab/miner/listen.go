package miner

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// listen reads what comes after the login, until the connection ends.
func (v *visit) listen() error {
	for {
		v.publish()
		m, err := v.read(v.dialect.silence)
		switch {
		case errors.Is(err, errNotStrict) && !v.dialect.strict:
			continue // most of them ignore such lines now
		case err != nil:
			return err
		case m.Method != nil:
			if err := v.handle(m); err != nil {
				return err
			}
		default:
			v.replied(m)
		}
	}
}

// publish hands the work out, unless more is known to come.
func (v *visit) publish() {
	if !v.changed || v.in.Buffered() > 0 {
		return
	}
	v.changed = false
	v.mu.Lock()
	v.task = v.next
	v.mu.Unlock()
	v.nudge()
}

func (v *visit) nudge() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// handle does what the client does on a method.
func (v *visit) handle(m message) error {
	var params []json.RawMessage
	_ = json.Unmarshal(m.Params, &params)
	method := *m.Method
	if !v.dialect.handles(method) {
		return nil
	}
	switch method {
	case "mining.notify":
		return v.notified(params)
	case "mining.set_difficulty":
		v.setDifficulty(params)
	case "mining.set_extranonce":
		v.setExtranonce(params)
	case "mining.set_version_mask":
		v.setMask(params)
	case "client.reconnect":
		return v.reconnect(params)
	case "mining.ping":
		v.answer(v.dialect.ping, m, "")
	case "client.get_version":
		v.answer(v.dialect.version, m, strconv.Quote(v.dialect.agent))
	case "client.show_message":
		if isSet(m.ID) {
			v.answer(v.dialect.shown, m, "true")
		}
	}
	return nil
}

func (v *visit) answer(template string, m message, value string) {
	if template == "" {
		return
	}
	id := "null"
	if m.ID != nil {
		id = string(m.ID)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.send(fill(template, "ID", id, "VALUE", value))
}

func (v *visit) notified(params []json.RawMessage) error {
	job, err := work.ParseJob(params)
	if err != nil {
		return err
	}
	v.next.number++
	if job.Clean {
		v.next.clean = v.next.number
	}
	v.next.job = job
	v.next.extranonce1, v.next.size, v.next.mask, v.next.difficulty = v.nonce1, v.size, v.mask, v.wanted
	v.changed = true
	v.miner.update(func(s *Stats) { s.Jobs++; s.Difficulty = v.wanted })
	return nil
}

func (v *visit) setDifficulty(params []json.RawMessage) {
	var difficulty float64
	if len(params) == 0 || json.Unmarshal(params[0], &difficulty) != nil {
		return
	}
	v.wanted = difficulty
	if v.dialect.diffAtOnce {
		v.next.difficulty = difficulty
		v.changed = v.next.number > 0
	}
}

func (v *visit) setExtranonce(params []json.RawMessage) {
	var text *string
	var size *int
	if len(params) < 2 || json.Unmarshal(params[0], &text) != nil || json.Unmarshal(params[1], &size) != nil {
		return
	}
	if text != nil { // bfgminer takes a null for "as before"
		if b, err := hex.DecodeString(*text); err == nil {
			v.nonce1 = b
			v.miner.update(func(s *Stats) { s.Extranonce1 = *text })
		}
	}
	if size != nil {
		v.size = *size
	}
	if v.dialect.extranonce == atOnce {
		v.next.extranonce1, v.next.size = v.nonce1, v.size
		v.changed = v.next.number > 0
	}
}

func (v *visit) setMask(params []json.RawMessage) {
	var text string
	if len(params) == 0 || json.Unmarshal(params[0], &text) != nil {
		return
	}
	mask, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return
	}
	v.mask, v.rolls = uint32(mask), mask != 0
	if v.dialect.maskAtOnce {
		v.next.mask = v.mask
		v.changed = v.next.number > 0
	}
}

// reconnect follows the rules of the clients: cpuminer wants a host and a port, cgminer and bfgminer follow only
// within their pool's domain, ESP-Miner comes back to where it was told to go, and NerdQAxe stays where it is.
func (v *visit) reconnect(params []json.RawMessage) error {
	host, port := "", ""
	if len(params) >= 2 {
		_ = json.Unmarshal(params[0], &host)
		port = strings.Trim(string(params[1]), `"`)
	}
	here, _, _ := net.SplitHostPort(v.miner.address)
	switch v.miner.config.Kind {
	case ESPMiner:
		return errMoved
	case NerdQAxe:
		return nil
	case CPUMiner:
		if host == "" {
			return nil
		}
	case CPUMinerOpt:
		if host == "" {
			return errMoved
		}
	default:
		if host == "" {
			return errMoved
		}
		if domain(host) != domain(here) {
			return nil
		}
	}
	v.miner.address = net.JoinHostPort(host, port)
	return errMoved
}

// domain is what is behind the first dot.
func domain(host string) string {
	_, rest, _ := strings.Cut(host, ".")
	return rest
}

// replied matches a reply with what was asked.
func (v *visit) replied(m message) {
	v.mu.Lock()
	// cpuminer has one id for all its submits, so the oldest one is meant.
	i := slices.IndexFunc(v.pending, func(p pending) bool { return p.id == string(m.ID) })
	if i < 0 {
		v.mu.Unlock()
		if v.settle(m) == "mining.authorize" {
			if err := authorized(m); err != nil {
				v.miner.update(func(s *Stats) { s.LastError = err.Error() })
			}
		}
		return
	}
	spoiled := v.pending[i].spoiled
	v.pending = slices.Delete(v.pending, i, i+1)
	v.mu.Unlock()
	code := verdict(m)
	v.miner.update(func(s *Stats) {
		switch {
		case code != 0:
			s.Rejected[code]++
		case spoiled:
			s.WronglyAccepted++
			s.Accepted++
		default:
			s.Accepted++
		}
	})
	if code != 0 && !spoiled {
		v.miner.log(fmt.Sprintf("a share was rejected: %s%s", m.Error, m.Reason))
	}
	v.nudge()
}

// verdict is the code of a rejection, and 0 if the share was accepted.
func verdict(m message) int {
	if string(m.Result) == "true" && !isSet(m.Error) {
		return 0
	}
	var parts []any
	if json.Unmarshal(m.Error, &parts) == nil && len(parts) > 0 {
		if code, ok := parts[0].(float64); ok {
			return int(code)
		}
	}
	switch m.Reason { // ckpool
	case "Stale", "Invalid JobID":
		return 21
	case "Duplicate":
		return 22
	case "Above target":
		return 23
	case "Worker mismatch":
		return 24
	}
	return 20
}
