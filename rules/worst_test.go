package rules

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// heavy is expressions whose weight is mostly one thing, with a message at its worst.
var heavy = []struct{ name, when string }{
	{"pattern", "user matches '(a|b|ab)*(c|d)x'"},
	{"anchored pattern", "user matches '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'"},
	{"counted pattern", "user matches '[a-z]{1,40}!'"},
	{"long pattern", "string(params[1]) matches 'a+b'"},
	{"replace", "replace(user, 'a', 'bb') == ''"},
	{"replace in params", "replace(string(params[1]), 'a', 'bb') == ''"},
	{"concatenation", "user + user + user + user == ''"},
	{"split and join", "join(split(user, '', 256), 'x') == ''"},
	{"uniq", "len(uniq(split(user, '', 90))) == 0"},
	{"sort", "len(sort(split(user, '', 256))) == 0"},
	{"median", "median(0, params[2], params[2], params[2]) == 1"},
	{"sortBy", "len(sortBy(split(user, '', 256), # + 'x')) == 0"},
	{"map", "len(map(split(user, '', 256), upper(#))) == 0"},
	{"any", "any(params, # == 'y')"},
	{"any with work", "any(split(user, '', 256), lower(#) + 'x' == 'y')"},
	{"json", "json(params) == ''"},
	{"sha256", "sha256(string(params[1])) == ''"},
	{"upper", "upper(user) == ''"},
	{"in", "user in params"},
	{"equal lists", "params == [user]"},
	{"trim", "trim(user, 'abcdefg') == ''"},
	{"trim of many letters", "trim(string(params[3])[:500], '" + manyLetters() + "é') == ''"},
	{"trim of letters that come", "trim(string(params[3])[:500], user[:64]) == ''"},
	{"trim without characters", "trim(user) == ''"},
	{"account", "account(user, 'x', 'last') == ''"},
	{"withOption", "withOption(user, 'd', '1') == ''"},
	{"withoutOption", "withoutOption(string(params[1])[:8000], 'd') == ''"},
	{"filter", "len(filter(split(user, '', 256), # matches '^y')) == 1"},
	{"array", "len([user, user, user, user, user, user, user, user]) == 0"},
	{"map literal", "len({a: user, b: user, c: user, d: user}) == 0"},
	{"large map literal", "len({" + manyKeys() + "}) == 0"},
	{"keys", "len(keys({a: user, b: user, c: user, d: user})) == 0"},
	{"names", "user == 'a' or proxy == 'b' or client.ip == 'c' or pool == 'd'"},
	{"concat", "len(concat(params, params)) == 0"},
	{"flatten", "len(flatten([params, params])) == 0"},
	{"lookup", "lookup({a: user}, user, '') == 'a'"},
	{"int", "int('5') == 6"},
	{"base64", "toBase64(user) == ''"},
	{"base64 of long text", "toBase64(string(params[1])) == ''"},
	{"all", "all(params, # != 'y')"},
	{"none", "none(params, # == 'y')"},
	{"one", "one(params[2], # == 7)"},
	{"find", "find(params, # == 'y') == 1"},
	{"findLast", "findLast(params, # == 'y') == 1"},
	{"findIndex", "findIndex(params, # == 'p63') == 1"},
	{"findLastIndex", "findLastIndex(params, # == 'p4') == 1"},
	{"count", "count(params, # == 'y') == 1"},
	{"sum", "sum(params[2]) == 1"},
	{"sum of values", "sum(params[2], # * 2 + 1) == 1"},
	{"two conditions", "any(params, account(string(type(#))) == 'y') or any(params, # in ['a', 'b', 3])"},
	{"len", "len(string(params[3])) == 1"},
	{"type", "type(params) == 'x'"},
	{"rounding", "abs(params[2][3]) + ceil(params[2][4]) + floor(params[2][5]) + round(params[2][6]) == 0.5"},
	{"float", "float(params[2][3]) == 0.5"},
	{"lower", "lower(string(params[1])) == ''"},
	{"lower beyond ASCII", "lower(string(params[3])) == ''"},
	{"upper beyond ASCII", "upper(string(params[3])) == ''"},
	{"affixes", "trimPrefix(user, 'a') + trimSuffix(user, 'a') == ''"},
	{"hasPrefix", "hasPrefix(user, user) and hasSuffix(user, user) and user startsWith user and user endsWith user and user == 'x'"},
	{"indexOf", "indexOf(user, user[:500] + 'b') == 1"},
	{"lastIndexOf", "lastIndexOf(user, 'b' + user[:500]) == 1"},
	{"contains", "user contains (user[:500] + 'b')"},
	{"fromBase64", "fromBase64(user) == ''"},
	{"elements", "get(params, 3) == 1 or take(params, 5) == [] or first(params) == 1 or last(params) == 1"},
	{"reverse", "len(reverse(params)) == 0"},
	{"mean", "mean(params[2], params[2], params[2]) == 0.5"},
	{"max", "max(params[2]) == min(params[2])"},
	{"bits", "bitand(1, 2) + bitor(len(user), 2) + bitxor(1, 2) + bitnand(1, 2) + bitnot(1) + bitshl(1, 2) + bitshr(1, 2) + bitushr(1, 2) == 1"},
	{"values", "len(values({a: user, b: user, c: user, d: user})) == 0"},
	{"worker", "worker(user, 'b') + option(user, 'd') == 'x'"},
	{"option in many", "option(replace(user, 'a', 'd,'), 'e') == 'x'"},
	{"withOption in many", "withOption(replace(user, 'a', 'd=1,'), 'd', '22') == 'x'"},
	{"withoutOption in many", "withoutOption(replace(user, 'a', 'd=1,'), 'd') == 'x'"},
	{"repeat", "repeat(user, 20) == 'x'"},
	{"string", "string(params[2][7]) == 'x'"},
	{"in many", "params[5] in [" + strings.Repeat("7.5, ", 100) + "8.5]"},
	{"in a map", "user in {a: 1, b: 2}"},
	{"concat of many", "len(concat(params[2], params[2], params[2], params[2])) == 0"},
	{"median of nested lists", "median(0, [[[[params[2]]]]], params[2]) == 1"},
	{"inCIDR", "inCIDR('10.0.0.1', ['192.168.0.0/16', 'fd00::/8'])"},
	{"inCIDR of texts", "inCIDR('10.0.0.1', split(replace(user[:100], 'a', '192.168.255.255/16,') + 'fd00::/8', ','))"},
	{"json of a text", "json(string(params[3])) == 'x'"},
	{"map of maps", "len(map(split(user, '', 64), {{a: #}})) == 0"},
	{"map of lists", "len(map(split(user, '', 64), [#])) == 0"},
}

func manyKeys() string {
	var pairs []string
	for i := range 70 {
		pairs = append(pairs, fmt.Sprintf("k%d: 7", i))
	}
	return strings.Join(pairs, ", ")
}

// manyLetters gives characters whose last byte is that of é, which a search stumbles over.
func manyLetters() string {
	var b strings.Builder
	for r := 'é' + 64; b.Len() < 2*(trimLimit-1); r += 64 {
		b.WriteRune(r)
	}
	return b.String()
}

// worst is a request at all its limits.
func worst() *Message {
	params := make([]any, 0, paramLimit)
	params = append(params, strings.Repeat("a", textLimit), strings.Repeat("a", messageLimit-textLimit-1400))
	many := make([]any, elementLimit-paramLimit)
	for i := range many {
		many[i] = float64(i)
	}
	params = append(params, many, strings.Repeat("é", 500))
	for i := len(params); i < paramLimit; i++ {
		params = append(params, fmt.Sprintf("p%d", i))
	}
	return &Message{Method: "mining.submit", Params: params}
}

// TestWorstWalks fills the budget with each kind of work and looks how long the walk
// then really takes. The bound is loose: other work shares the machine.
func TestWorstWalks(t *testing.T) {
	for _, h := range heavy {
		t.Run(h.name, func(t *testing.T) {
			d := fillBudget(t, Rule{Kind: Request, Method: "mining.submit", When: src(h.when)}, worst())
			for _, failure := range d.Failed[:min(1, len(d.Failed))] {
				t.Error(failure.Err)
			}
		})
	}
}

// TestEveryFunctionIsMeasured looks for functions that are missing above.
func TestEveryFunctionIsMeasured(t *testing.T) {
	var all strings.Builder
	for _, h := range heavy {
		all.WriteString(" " + h.when)
	}
	for name := range functions {
		if !regexp.MustCompile(`[ (!]` + name + `\(`).MatchString(all.String()) {
			t.Errorf("nothing measures %s", name)
		}
	}
}

// fillBudget has as many rules of a kind as the budget allows look at a message.
func fillBudget(t *testing.T, r Rule, msg *Message) *Decision {
	t.Helper()
	method := []byte(msg.Method)
	single := mustCompile(t, r).Chain(r.Kind, method).rules[0].weight()
	n := int(min(timeBudget/single.nanoseconds, memoryBudget/single.bytes, 2000))
	list := make([]Rule, n)
	for i := range list {
		list[i] = r
	}
	chain, d := mustCompile(t, list...).Chain(r.Kind, method), &Decision{}
	var f Facts = facts{}
	chain.Decide(msg, f, d)
	best := time.Hour
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		start := time.Now()
		chain.Decide(msg, f, d)
		best = min(best, time.Since(start))
	}
	runtime.ReadMemStats(&after)
	memory := (after.TotalAlloc - before.TotalAlloc) / 20
	t.Logf("%d rules, %v, %d KiB; weighed %.0f ns and %.0f bytes each", n, best, memory>>10, single.nanoseconds, single.bytes)
	const slack = 64 << 10 // what pools get anew after a collection
	foreseen := float64(n) * single.bytes
	allowed := 200*time.Microsecond + time.Duration(3*float64(n)*single.nanoseconds)
	if !underRace && (best > allowed || float64(memory) > foreseen+slack) {
		t.Errorf("took %v and %d bytes", best, memory)
	}
	return d
}
