package pool

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// answer handles a request. The caller holds s.mu.
func (s *session) answer(method string, r request) {
	quirks := s.pool.config.Quirks
	switch {
	case method == "mining.configure":
		s.configure(r)
	case method == "mining.subscribe":
		s.subscribe(r)
	case method == "mining.authorize":
		s.authorize(r)
	case method == "mining.submit":
		s.submit(r)
	case method == "mining.extranonce.subscribe":
		s.wantsNonce = true
		if !quirks.SilentExtranonce {
			s.reply(result(r, "true"))
		}
	case strings.HasPrefix(method, "mining.suggest"):
		s.suggest(r)
	case method == "mining.ping":
		s.reply(result(r, `"pong"`))
	case method == "pong": // ESP-Miner's answer to a ping is a request
	case !quirks.SilentUnknown:
		s.reply(failure(r, "null", -3, "Method not found"))
	}
}

// configure answers each extension that was asked for, and no other (BIP310).
func (s *session) configure(r request) {
	var params []json.RawMessage
	var extensions []string
	var options struct {
		Mask *string `json:"version-rolling.mask"`
	}
	if json.Unmarshal(r.Params, &params) != nil || len(params) == 0 || json.Unmarshal(params[0], &extensions) != nil ||
		len(params) > 1 && json.Unmarshal(params[1], &options) != nil {
		s.reply(failure(r, "null", 20, "Invalid configure"))
		return
	}
	s.asked = 0xffffffff
	if options.Mask != nil {
		mask, err := strconv.ParseUint(*options.Mask, 16, 32)
		if err != nil {
			s.reply(failure(r, "null", 20, "Invalid mask"))
			return
		}
		s.asked = uint32(mask)
	}
	var answers []string
	for _, extension := range extensions {
		answers = append(answers, s.extension(extension))
	}
	lines := []string{result(r, "{"+strings.Join(answers, ",")+"}")}
	if s.pool.config.MaskNotice && s.rolls {
		lines = append(lines, s.maskLine())
	}
	s.reply(lines...)
}

func (s *session) extension(name string) string {
	quoted, _ := json.Marshal(name)
	switch name {
	case "version-rolling":
		s.mask = s.pool.mask() & s.asked
		if s.rolls = s.mask != 0; s.rolls {
			return fmt.Sprintf(`"version-rolling":true,"version-rolling.mask":"%08x"`, s.mask)
		}
	case "subscribe-extranonce":
		s.wantsNonce = true
		return `"subscribe-extranonce":true`
	case "info":
		return `"info":true`
	}
	return string(quoted) + ":false"
}

func (s *session) maskLine() string {
	return s.notification("mining.set_version_mask", fmt.Sprintf(`["%08x"]`, s.mask))
}

func (s *session) subscribe(r request) {
	s.pool.update(func() { s.pool.stats.Subscribed++ })
	first := !s.subscribed
	s.subscribed = true
	pair := fmt.Sprintf(`["mining.notify","%08x"]`, s.number)
	if !s.pool.config.FlatSubscriptions {
		pair = "[" + pair + "]"
	}
	value := fmt.Sprintf(`[%s,"%s",%d]`, pair, hex.EncodeToString(s.extranonce1), s.pool.config.Extranonce2Size)
	lines := []string{result(r, value)}
	if first && (s.pool.config.EarlyNotify || len(s.names) > 0) {
		lines = append(lines, s.firstJob()...)
	}
	s.reply(lines...)
}

// firstJob is what a session needs in order to mine.
func (s *session) firstJob() []string {
	current := s.pool.current()
	s.difficulty = s.pool.difficulty()
	s.issue(current)
	return []string{s.difficultyLine(), s.notifyLine(current)}
}

func (s *session) authorize(r request) {
	var params []string
	if json.Unmarshal(r.Params, &params) != nil || len(params) == 0 {
		s.reply(failure(r, "null", 20, "Invalid authorize"))
		return
	}
	user := params[0]
	if !s.pool.welcomes(user) {
		s.pool.update(func() { s.pool.stats.Refused++ })
		s.pool.log(fmt.Sprintf("refused %q from %s", user, s.name()))
		s.reply(failure(r, "false", 24, "Unauthorized worker"))
		return
	}
	if !s.names[user] {
		s.names[user] = true
		s.pool.update(func() { s.pool.stats.Authorized++ })
		s.pool.log(fmt.Sprintf("authorized %q from %s", user, s.name()))
	}
	value := "true"
	if s.pool.config.NullAuthorize {
		value = "null"
	}
	lines := []string{result(r, value)}
	if len(s.issued) == 0 && s.subscribed {
		lines = append(lines, s.firstJob()...)
	}
	if s.pool.config.AskVersion {
		lines = append(lines, `{"id":7,"method":"client.get_version","params":[]}`)
	}
	if s.pool.config.Ping {
		lines = append(lines, pingLine)
	}
	s.reply(lines...)
}

// pingLine is ckpool's.
const pingLine = `{"params":[],"id":42,"method":"mining.ping"}`

func (p *Pool) welcomes(user string) bool {
	return !matches(p.config.Refuse, user) && (len(p.config.Users) == 0 || matches(p.config.Users, user))
}

func matches(patterns []string, user string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, user); pattern == user || err == nil && ok {
			return true
		}
	}
	return false
}

// suggest takes no suggestion: it says what the difficulty is.
func (s *session) suggest(r request) {
	var lines []string
	if !s.pool.config.SilentSuggest && id(r) != "null" {
		lines = append(lines, result(r, "true"))
	}
	if s.difficulty > 0 {
		lines = append(lines, s.difficultyLine())
	}
	if len(lines) > 0 {
		s.reply(lines...)
	}
}
