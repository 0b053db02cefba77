package miner

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// login goes the client's way from a new connection to the right to mine.
func (v *visit) login() error {
	d := v.dialect
	if d.pipelines {
		return v.loginAtOnce()
	}
	if d.configure != "" {
		v.ask(d.configure, "mining.configure")
		m, err := v.reply()
		if err != nil {
			return fmt.Errorf("configure: %w", err)
		}
		if err := v.configured(m); err != nil || !v.rolls {
			return errors.Join(err, errors.New("the pool rolls no versions")) // such a cgminer takes the pool for dead
		}
	}
	if d.target != "" && v.miner.config.Suggest > 0 {
		v.ask(d.target, "mining.suggest_target")
	}
	if err := v.subscribe(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if !d.xnsubLast {
		if err := v.askExtranonce(); err != nil {
			return err
		}
	}
	return v.authorize()
}

// askExtranonce asks to be told of other extranonces. Some wait for the reply, whatever it is, for a while.
func (v *visit) askExtranonce() error {
	d := v.dialect
	if d.xnsub == "" || !v.miner.config.Extranonce && !d.xnsubAlways {
		return nil
	}
	v.ask(d.xnsub, "mining.extranonce.subscribe")
	if d.xnsubWait == 0 {
		return nil
	}
	_, err := v.replyWithin(d.xnsubWait)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// reply reads lines up to the first one that is not a method that the client handles, whatever that one is.
func (v *visit) reply() (message, error) { return v.replyWithin(v.miner.config.LoginTimeout) }

func (v *visit) replyWithin(patience time.Duration) (message, error) {
	for {
		m, err := v.read(patience)
		if err != nil {
			return m, err
		}
		if m.Method == nil || !v.dialect.handles(*m.Method) {
			if m.Method == nil {
				v.settle(m)
			}
			return m, nil
		}
		if err := v.handle(m); err != nil {
			return m, err
		}
	}
}

// settle notes that a request got its reply; one that nobody waits for is counted.
func (v *visit) settle(m message) (method string) {
	v.mu.Lock()
	method, ok := v.asked[string(m.ID)]
	delete(v.asked, string(m.ID))
	v.mu.Unlock()
	if !ok {
		v.miner.update(func(s *Stats) { s.Unexpected++ })
	}
	return method
}

// subscribe tries again with no params, as the older clients do.
func (v *visit) subscribe() error {
	hello := v.dialect.subscribe
	if v.miner.sessionID != "" && v.dialect.resume != "" {
		hello = v.dialect.resume
	}
	err := v.trySubscribe(hello)
	if err == nil || v.dialect.retry == "" {
		return err
	}
	v.miner.update(func(s *Stats) { s.Retries++; s.LastError = err.Error() })
	return v.trySubscribe(v.dialect.retry)
}

func (v *visit) trySubscribe(template string) error {
	v.ask(template, "mining.subscribe")
	if !v.dialect.oneLine {
		m, err := v.reply()
		if err != nil {
			return err
		}
		return v.subscribed(m)
	}
	m, err := v.read(v.miner.config.LoginTimeout)
	if err != nil {
		return err
	}
	if m.Method != nil {
		return fmt.Errorf("%s came before the reply", *m.Method)
	}
	v.settle(m)
	return v.subscribed(m)
}

// subscribed reads [subscriptions, extranonce1, extranonce2 size].
func (v *visit) subscribed(m message) error {
	var parts []json.RawMessage
	var extranonce1 string
	var size float64
	if isSet(m.Error) || json.Unmarshal(m.Result, &parts) != nil || len(parts) < 3 ||
		json.Unmarshal(parts[1], &extranonce1) != nil || json.Unmarshal(parts[2], &size) != nil {
		return fmt.Errorf("no subscription in %s %s", m.Result, m.Error)
	}
	b, err := hex.DecodeString(extranonce1)
	if err != nil {
		return fmt.Errorf("extranonce1 %q: %w", extranonce1, err)
	}
	if n := int(size); n < v.dialect.minSize || n > v.dialect.maxSize {
		return fmt.Errorf("extranonce2 of %d bytes", n)
	}
	v.miner.sessionID = sessionID(parts[0])
	v.miner.update(func(s *Stats) { s.Extranonce1 = extranonce1 })
	v.nonce1, v.size = b, int(size)
	return nil
}

// sessionID finds the id that comes with mining.notify.
func sessionID(subscriptions json.RawMessage) string {
	var pairs []json.RawMessage
	_ = json.Unmarshal(subscriptions, &pairs)
	for _, raw := range pairs {
		var pair []string
		if json.Unmarshal(raw, &pair) == nil && len(pair) > 1 && pair[0] == "mining.notify" {
			return pair[1]
		}
	}
	return ""
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// configured reads the reply to mining.configure.
func (v *visit) configured(m message) error {
	var result struct {
		Rolling any    `json:"version-rolling"`
		Mask    string `json:"version-rolling.mask"`
	}
	if isSet(m.Error) || json.Unmarshal(m.Result, &result) != nil {
		return fmt.Errorf("configure: %s %s", m.Result, m.Error)
	}
	if result.Rolling != true {
		return nil
	}
	mask, err := strconv.ParseUint(result.Mask, 16, 32)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	v.mask, v.rolls = uint32(mask), mask != 0
	return nil
}

// authorize reads the reply, and asks for a difficulty then.
func (v *visit) authorize() error {
	id := v.ask(v.dialect.authorize, "mining.authorize")
	for !v.dialect.noWait {
		m, err := v.reply()
		if err != nil {
			return fmt.Errorf("authorize: %w", err)
		}
		if v.dialect.byID && string(m.ID) != id {
			continue
		}
		if err := authorized(m); err != nil {
			return err
		}
		break
	}
	return v.loggedIn()
}

// authorized accepts null as well as true, which cpuminer does and p2pool relies on.
func authorized(m message) error {
	if m.Method != nil || isSet(m.Error) || m.Result == nil || string(m.Result) == "false" {
		return fmt.Errorf("authorization refused: %s %s", m.Result, m.Error)
	}
	return nil
}

// loggedIn says what a client says once it may mine.
func (v *visit) loggedIn() error {
	d := v.dialect
	if d.multi != "" {
		v.ask(d.multi, "mining.multi_version")
	}
	if d.xnsubLast && !d.pipelines {
		if err := v.askExtranonce(); err != nil {
			return err
		}
	}
	if d.suggest != "" && v.miner.config.Suggest > 0 {
		v.ask(d.suggest, "mining.suggest_difficulty")
	}
	if d.xnsubLast && d.pipelines {
		if err := v.askExtranonce(); err != nil {
			return err
		}
	}
	v.miner.update(func(s *Stats) { s.Logins++ })
	v.miner.log("logged in")
	return nil
}

// loginAtOnce sends three requests in one burst, as ESP-Miner does, which knows the replies by their shape.
func (v *visit) loginAtOnce() error {
	v.mu.Lock()
	_, configure := v.request(v.dialect.configure, "mining.configure")
	_, subscribe := v.request(v.dialect.subscribe, "mining.subscribe")
	_, authorize := v.request(v.dialect.authorize, "mining.authorize")
	if v.dialect.subscribesFirst {
		configure, subscribe = subscribe, configure
	}
	v.send(configure, subscribe, authorize)
	v.mu.Unlock()
	for {
		m, err := v.reply()
		if errors.Is(err, errNotStrict) && !v.dialect.strict {
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case m.Method != nil: // ignored
		case len(m.Result) > 0 && m.Result[0] == '[':
			err = v.subscribed(m)
		case len(m.Result) > 0 && m.Result[0] == '{':
			err = v.configured(m)
		case string(m.ID) == "3":
			if err = authorized(m); err == nil {
				return v.loggedIn()
			}
		}
		if err != nil {
			return err
		}
	}
}
