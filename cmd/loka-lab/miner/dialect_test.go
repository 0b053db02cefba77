package miner

import (
	"encoding/json"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// wire is what each client sends at first, with # for the parts of a share.
var wire = map[Kind][]string{
	CPUMiner: {
		`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`,
		`{"id": 2, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"method": "mining.submit", "params": ["u.1", "#", "#", "#", "#"], "id":4}`,
		`{"method": "mining.submit", "params": ["u.1", "#", "#", "#", "#"], "id":4}`,
	},
	CGMiner: {
		`{"id": 0, "method": "mining.subscribe", "params": ["cgminer/4.11.1"]}`,
		`{"id": 1, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": 2, "method": "mining.suggest_difficulty", "params": [42]}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 3, "method": "mining.submit"}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 4, "method": "mining.submit"}`,
	},
	CGMinerRolling: {
		`{"id": 0, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "ffffffff"}]}`,
		`{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.11.1"]}`,
		`{"id": 2, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": 3, "method": "mining.suggest_difficulty", "params": [42]}`,
		`{"params": ["u.1", "#", "#", "#", "#", "#"], "id": 4, "method": "mining.submit"}`,
		`{"params": ["u.1", "#", "#", "#", "#", "#"], "id": 5, "method": "mining.submit"}`,
	},
	BFGMiner: {
		`{"id": null, "method": "mining.suggest_target", "params": ["0000000006185b6db6db6db6db6db6db6db6db6db6db6db6db6db6db6db6db6d"]}`,
		`{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}`,
		`{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}`,
		`{"id": "auth", "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": null, "method": "mining.suggest_difficulty", "params": [42]}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 1, "method": "mining.submit"}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 2, "method": "mining.submit"}`,
	},
	ESPMiner: {
		`{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`,
		`{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.9.0"]}`,
		`{"id":3,"method":"mining.authorize","params":["u.1","x"]}`,
		`{"id":4,"method":"mining.suggest_difficulty","params":[42]}`,
		`{"id":5,"method":"mining.extranonce.subscribe","params":[]}`,
		`{"id":6,"method":"mining.submit","params":["u.1","#","#","#","#","#"]}`,
		`{"id":7,"method":"mining.submit","params":["u.1","#","#","#","#","#"]}`,
	},
	CPUMinerOpt: {
		`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer-opt/24.5"]}`,
		`{"id": 2, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": 3, "method": "mining.extranonce.subscribe", "params": []}`,
		`{"id": 1, "method": "mining.suggest_difficulty", "params": ["42.000000"]}`,
		`{"method": "mining.submit", "params": ["u.1", "#", "#", "#", "#"], "id":4}`,
		`{"method": "mining.submit", "params": ["u.1", "#", "#", "#", "#"], "id":4}`,
	},
	BMMiner: {
		`{"id": 1, "method": "mining.subscribe", "params": ["bmminer/2.0.0"]}`,
		`{"id": 2, "method": "mining.extranonce.subscribe", "params": []}`,
		`{"id": 3, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": 4, "method": "mining.multi_version", "params": [1]}`,
		`{"id": 5, "method": "mining.suggest_difficulty", "params": [42]}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 6, "method": "mining.submit"}`,
		`{"params": ["u.1", "#", "#", "#", "#"], "id": 7, "method": "mining.submit"}`,
	},
	NerdQAxe: {
		`{"id": 1, "method": "mining.subscribe", "params": ["NerdQAxe++/BM1370/v1.0"]}`,
		`{"id": 2, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "1fffe000"}]}`,
		`{"id": 3, "method": "mining.authorize", "params": ["u.1", "x"]}`,
		`{"id": 4, "method": "mining.suggest_difficulty", "params": [42]}`,
		`{"id": 5, "method": "mining.extranonce.subscribe", "params": []}`,
		`{"id": 6, "method": "mining.submit", "params": ["u.1", "#", "#", "#", "#", "#"]}`,
		`{"id": 7, "method": "mining.submit", "params": ["u.1", "#", "#", "#", "#", "#"]}`,
	},
	NerdMiner: {
		`{"id": 1, "method": "mining.subscribe", "params": ["NerdMinerV2/V1.7.0"]}`,
		`{"params": ["u.1", "x"], "id": 2, "method": "mining.authorize"}`,
		`{"id":3,"method":"mining.suggest_difficulty","params":[42]}`,
		`{"id":4,"method":"mining.submit","params":["u.1","#","#","#","#"]}`,
		`{"id":5,"method":"mining.submit","params":["u.1","#","#","#","#"]}`,
	},
}

func TestBytes(t *testing.T) {
	digits := regexp.MustCompile(`"[0-9a-f]+"`)
	for kind, want := range wire {
		t.Run(string(kind), func(t *testing.T) {
			_, address := startPool(t, pool.Config{VersionMask: 0x1fffe000, ShortNonce: true})
			var tr trace
			m := New(Config{Address: address, User: "u.1", Kind: kind, MaxSubmitted: 2, Suggest: 42, Extranonce: true, Trace: tr.add})
			if err := m.Run(patient(t)); err != nil {
				t.Fatal(err)
			}
			got := tr.lines()
			for i, line := range got {
				if !json.Valid([]byte(line)) {
					t.Errorf("not JSON: %s", line)
				}
				if strings.Contains(line, "submit") {
					padded := strings.Count(digits.FindAllString(line, -1)[3], "") == 11
					if padded == (kind == NerdMiner) {
						t.Errorf("the nonce is padded, or not: %s", line)
					}
					got[i] = digits.ReplaceAllString(line, `"#"`)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	for kind, want := range map[Kind][]string{
		CPUMiner:  {`{"id": 7, "result": "cpuminer/2.5.1", "error": null}`, `{"id": 9, "result": true, "error": null}`},
		CGMiner:   {`{"id": 7, "result": "cgminer/4.11.1", "error": null}`, `{"id": 42, "result": "pong", "error": null}`},
		BFGMiner:  {`{"id": 7, "result": "bfgminer/5.5.0", "error": null}`, `{"id": 9, "result": true, "error": null}`},
		ESPMiner:  {`{"id":7,"result":"bitaxe/BM1370/v2.9.0","error":null}`, `{"id":42,"method":"pong","params":[]}`},
		NerdMiner: {},
		NerdQAxe:  {},
		BMMiner:   {`{"id": 7, "result": "bmminer/2.0.0", "error": null}`, `{"id": 42, "result": "pong", "error": null}`},
		CPUMinerOpt: {
			`{"id": 7, "result": "cpuminer-opt/24.5", "error": null}`, `{"id":42,"result":"pong","error":null}`,
			`{"id": 9, "result": true, "error": null}`,
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			p, address := startPool(t, pool.Config{Difficulty: 1e9})
			var tr trace
			m := running(t, Config{Address: address, User: "u", Kind: kind, Trace: tr.add})
			ctx := patient(t)
			if err := m.Wait(ctx, func(s Stats) bool { return s.Jobs > 0 && s.Logins > 0 }); err != nil {
				t.Fatal(err)
			}
			before := len(tr.lines())
			p.Send(0, `{"id":7,"method":"client.get_version","params":[]}`)
			p.Send(0, `{"params":[],"id":42,"method":"mining.ping"}`)
			p.Send(0, `{"id":9,"method":"client.show_message","params":["hello"]}`)
			p.Notify(false)
			if err := m.Wait(ctx, func(s Stats) bool { return s.Jobs > 1 }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tr.lines()[before:]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReconnect(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		to   string // params
		want bool
	}{
		{CPUMiner, `[]`, false},
		{CPUMiner, `["127.0.0.1",PORT]`, true},
		{CGMiner, `[]`, true},
		{CGMiner, `["127.0.0.1","PORT",0]`, true},
		{CGMiner, `["pool.example.com",3333]`, false},
		{ESPMiner, `["pool.example.com",3333]`, true},
		{CPUMinerOpt, `[]`, true},
		{CPUMinerOpt, `["127.0.0.1",PORT]`, true},
		{BMMiner, `[]`, true},
		{BMMiner, `["127.0.0.1","PORT"]`, true},
		{BMMiner, `["pool.example.com",3333]`, false},
		{BFGMiner, `[]`, true},
		{NerdQAxe, `[]`, false},
		{NerdQAxe, `["127.0.0.1",PORT]`, false},
		{NerdMiner, `[]`, false},
	} {
		t.Run(string(c.kind)+c.to, func(t *testing.T) {
			p, address := startPool(t, pool.Config{Difficulty: 1e9})
			m := running(t, Config{Address: address, User: "u", Kind: c.kind})
			ctx := patient(t)
			if err := m.Wait(ctx, func(s Stats) bool { return s.Logins == 1 && s.Jobs == 1 }); err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(address)
			p.Send(0, `{"id":null,"method":"client.reconnect","params":`+strings.Replace(c.to, "PORT", port, 1)+`}`)
			p.Send(0, `{"id":8,"result":true}`)
			if err := m.Wait(ctx, func(s Stats) bool { return s.Unexpected == 1 || s.Logins == 2 }); err != nil {
				t.Fatal(err)
			}
			if got := m.Stats().Logins == 2; got != c.want {
				t.Errorf("it comes back: %v", got)
			}
		})
	}
}

const (
	subscribedOne = `{"id":1,"result":[[["mining.notify","s"]],"f0",4],"error":null}`
	subscribedNil = `{"id":0,"result":[[],"f0",4],"error":null}`
	authorizedTwo = `{"id":2,"result":true,"error":null}`
	notice        = `{"id":null,"method":"mining.set_difficulty","params":[1]}`
	strangeNotice = `{"id":null,"method":"mining.set_foo","params":["f1",4]}`
)

// TestStrictness is about what the clients do not forgive.
func TestStrictness(t *testing.T) {
	for name, c := range map[string]struct {
		kind   Kind
		script []string
		want   string // in the error
	}{
		"a notice before the subscribe reply": {CPUMiner, []string{"<", notice, notice}, "set_difficulty came before the reply"},
		"an unknown notice for authorize":     {CPUMiner, []string{"<", subscribedOne, "<", strangeNotice}, "authorization refused"},
		"a blank line":                        {CPUMiner, []string{"<", subscribedOne, "<", authorizedTwo, ""}, "blank"},
		"authorize refused":                   {CGMiner, []string{"<", subscribedNil, "<", `{"id":1,"result":false,"error":null}`}, "authorization refused"},
		"no version rolling":                  {CGMinerRolling, []string{"<", `{"id":0,"result":{"version-rolling":false},"error":null}`}, "rolls no versions"},
		"an extranonce2 of one byte":          {CGMiner, []string{"<", `{"id":0,"result":[[],"f0",1]}`, "<", `{"id":1,"result":[[],"f0",1]}`}, "extranonce2 of 1 bytes"},
		"a broken job":                        {ESPMiner, []string{"<", "<", "<", subscribedOne, `{"id":3,"result":true}`, `{"method":"mining.notify","params":["j"]}`}, "not the params"},
		"words for a strict client":           {NerdQAxe, []string{"<", "<", "<", "Invalid JSON, disconnecting"}, "not a JSON object"},
		"a blank line for it":                 {NerdQAxe, []string{"<", "<", "<", subscribedOne, ""}, "blank"},
		"a late reply to xnsub":               {BMMiner, []string{"<", subscribedOne, "<", "<", `{"id":2,"result":null,"error":[38,"no",null]}`}, "authorization refused"},
		"an extranonce2 of 17 bytes":          {CPUMinerOpt, []string{"<", `{"id":1,"result":[[],"f0",17]}`, "<", `{"id":1,"result":[[],"f0",17]}`}, "extranonce2 of 17 bytes"},
		"words for a subscribe reply":         {NerdMiner, []string{"<", "Invalid JSON, disconnecting"}, "not a JSON object"},
		"an error for a subscribe reply":      {NerdMiner, []string{"<", `{"id":1,"result":null,"error":[20,"no",null]}`}, "no subscription"},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Config{Address: fakePool(t, c.script...), User: "u", Kind: c.kind, Extranonce: true, Once: true, LoginTimeout: 5 * time.Second})
			if err := m.Run(patient(t)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestForgiveness is about what they do forgive.
func TestForgiveness(t *testing.T) {
	for name, c := range map[string]struct {
		kind   Kind
		script []string
	}{
		"a second try to subscribe":        {CPUMiner, []string{"<", `{"id":1,"result":null,"error":[20,"no",null]}`, "<", subscribedOne, "<", authorizedTwo}},
		"jobs before the subscribe reply":  {CGMiner, []string{"<", notice, subscribedNil, "<", `{"id":1,"result":true,"error":null}`}},
		"other replies before the login's": {BFGMiner, []string{"<", subscribedNil, "<", strangeNotice, `{"id":5,"result":true}`, `{"id":"auth","result":true,"error":null}`}},
		"blank lines and words":            {ESPMiner, []string{"<", "<", "<", "", subscribedOne, "nonsense", `{"id":3,"result":true,"error":null}`}},
		"no authorize reply":               {NerdMiner, []string{"<", subscribedOne, "<"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := running(t, Config{Address: fakePool(t, c.script...), User: "u", Kind: c.kind})
			if err := m.Wait(patient(t), func(s Stats) bool { return s.Logins == 1 }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	for _, c := range [][3]uint32{{5, 0x1fffe000, 0x0000a000}, {3, 0x80000001, 0x80000001}, {7, 0, 0}, {0xffff, 0x1fffe000, 0x1fffe000}} {
		if got := spread(c[0], c[1]); got != c[2] {
			t.Errorf("spread(%x, %x) = %x, want %x", c[0], c[1], got, c[2])
		}
	}
}
