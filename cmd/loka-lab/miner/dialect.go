package miner

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a client that a miner speaks like.
type Kind string

// The clients. CGMinerRolling is a cgminer that was built with version rolling, as in the firmware of ASICs.
const (
	CPUMiner       Kind = "cpuminer"
	CPUMinerOpt    Kind = "cpuminer-opt"
	CGMiner        Kind = "cgminer"
	CGMinerRolling Kind = "cgminer-rolling"
	BMMiner        Kind = "bmminer" // of the Antminer S9
	BFGMiner       Kind = "bfgminer"
	ESPMiner       Kind = "esp-miner"
	NerdQAxe       Kind = "nerdqaxe"
	NerdMiner      Kind = "nerdminer"
)

// Kinds are all of them.
var Kinds = []Kind{CPUMiner, CPUMinerOpt, CGMiner, CGMinerRolling, BMMiner, BFGMiner, ESPMiner, NerdQAxe, NerdMiner}

// dialect is what sets one client apart. The templates are its bytes; a template that is empty is never sent.
type dialect struct {
	agent     string
	firstID   int
	configure string
	target    string // suggest_target, before subscribe
	subscribe string
	resume    string // subscribe with a session id
	retry     string // subscribe after a failure
	authorize string
	suggest   string
	xnsub     string
	multi     string // multi_version, after authorize
	submit    string
	ping      string // the answer to mining.ping
	version   string // the answer to client.get_version
	shown     string // the answer to client.show_message that is a request

	oneLine   bool // takes the next line for the subscribe reply, whatever it is
	byID      bool // takes only the line with the right id for the authorize reply
	pipelines bool // sends configure, subscribe and authorize at once, and knows the replies by their shape
	noWait    bool // does not wait for the authorize reply
	strtok    bool // reads lines with strtok, which loses what is behind a blank one
	strict    bool // leaves a pool that sends a blank line, or what is no JSON

	subscribesFirst bool          // before it configures, where it pipelines
	xnsubLast       bool          // asks for extranonces once it may mine
	xnsubAlways     bool          // asks though nobody has told it to
	xnsubWait       time.Duration // for the reply, which is taken for another's if it comes later; none if zero

	extranonce extranonceUse
	maskAtOnce bool // uses a new mask for the current job
	diffAtOnce bool // uses a new difficulty for the current job
	delta      bool // sends the version as its difference from the job's, not the bits of the mask
	shortNonce bool // does not pad the nonce
	highFirst  bool // writes extranonce2 with the highest byte first

	minSize, maxSize int           // of extranonce2
	longest          int           // line; 0 if unlimited
	silence          time.Duration // without a line from the pool, after which it leaves
}

// extranonceUse is what a client does with mining.set_extranonce.
type extranonceUse int

const (
	ignoresExtranonce extranonceUse = iota
	nextJob
	atOnce
)

const (
	cgminerSubmit = `{"params": ["$USER", "$JOB", "$XN2", "$NTIME", "$NONCE"$BITS], "id": $ID, "method": "mining.submit"}`
	spacedLogin   = `{"id": $ID, "method": "mining.authorize", "params": ["$USER", "$PASS"]}`
	spacedHello   = `{"id": $ID, "method": "mining.subscribe", "params": ["$AGENT"]}`
	spacedResume  = `{"id": $ID, "method": "mining.subscribe", "params": ["$AGENT", "$SID"]}`
	spacedRetry   = `{"id": $ID, "method": "mining.subscribe", "params": []}`
	spacedResult  = `{"id": $ID, "result": $VALUE, "error": null}`
)

var dialects = map[Kind]dialect{
	CPUMiner: {
		agent:     "cpuminer/2.5.1",
		subscribe: `{"id": 1, "method": "mining.subscribe", "params": ["$AGENT"]}`,
		resume:    `{"id": 1, "method": "mining.subscribe", "params": ["$AGENT", "$SID"]}`,
		retry:     `{"id": 1, "method": "mining.subscribe", "params": []}`,
		authorize: `{"id": 2, "method": "mining.authorize", "params": ["$USER", "$PASS"]}`,
		submit:    `{"method": "mining.submit", "params": ["$USER", "$JOB", "$XN2", "$NTIME", "$NONCE"], "id":4}`,
		version:   spacedResult, shown: spacedResult,
		oneLine: true, strtok: true, minSize: 1, maxSize: 100, silence: 120 * time.Second,
	},
	CPUMinerOpt: {
		agent:     "cpuminer-opt/24.5",
		subscribe: `{"id": 1, "method": "mining.subscribe", "params": ["$AGENT"]}`,
		resume:    `{"id": 1, "method": "mining.subscribe", "params": ["$AGENT", "$SID"]}`,
		retry:     `{"id": 1, "method": "mining.subscribe", "params": []}`,
		authorize: `{"id": 2, "method": "mining.authorize", "params": ["$USER", "$PASS"]}`,
		xnsub:     `{"id": 3, "method": "mining.extranonce.subscribe", "params": []}`,
		suggest:   `{"id": 1, "method": "mining.suggest_difficulty", "params": ["$FLOAT"]}`,
		submit:    `{"method": "mining.submit", "params": ["$USER", "$JOB", "$XN2", "$NTIME", "$NONCE"], "id":4}`,
		version:   spacedResult, shown: spacedResult,
		ping:    `{"id":$ID,"result":"pong","error":null}`,
		oneLine: true, strtok: true, extranonce: atOnce, xnsubLast: true, xnsubAlways: true, xnsubWait: 3 * time.Second,
		minSize: 2, maxSize: 16, silence: 300 * time.Second,
	},
	CGMiner: cgminer(false), CGMinerRolling: cgminer(true), BMMiner: bmminer(),
	BFGMiner: {
		agent:     "bfgminer/5.5.0",
		target:    `{"id": null, "method": "mining.suggest_target", "params": ["$TARGET"]}`,
		subscribe: spacedHello, resume: spacedResume, retry: spacedRetry,
		xnsub:     `{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}`,
		authorize: `{"id": "auth", "method": "mining.authorize", "params": ["$USER", "$PASS"]}`,
		suggest:   `{"id": null, "method": "mining.suggest_difficulty", "params": [$WHOLE]}`,
		submit:    cgminerSubmit, version: spacedResult, shown: spacedResult,
		oneLine: true, byID: true, strtok: true, extranonce: nextJob, minSize: 1, maxSize: 100, silence: 120 * time.Second,
	},
	ESPMiner: {
		agent: "bitaxe/BM1370/v2.9.0", firstID: 1,
		configure: `{"id":$ID,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`,
		subscribe: `{"id":$ID,"method":"mining.subscribe","params":["$AGENT"]}`,
		authorize: `{"id":$ID,"method":"mining.authorize","params":["$USER","$PASS"]}`,
		suggest:   `{"id":$ID,"method":"mining.suggest_difficulty","params":[$WHOLE]}`,
		xnsub:     `{"id":$ID,"method":"mining.extranonce.subscribe","params":[]}`,
		submit:    `{"id":$ID,"method":"mining.submit","params":["$USER","$JOB","$XN2","$NTIME","$NONCE","$VERSION"]}`,
		ping:      `{"id":$ID,"method":"pong","params":[]}`,
		version:   `{"id":$ID,"result":$VALUE,"error":null}`,
		pipelines: true, xnsubLast: true, extranonce: atOnce, delta: true, minSize: 1, maxSize: 32, silence: 180 * time.Second,
	},
	NerdQAxe: {
		agent: "NerdQAxe++/BM1370/v1.0", firstID: 6, // behind the fixed ones
		subscribe: `{"id": 1, "method": "mining.subscribe", "params": ["$AGENT"]}`,
		configure: `{"id": 2, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "1fffe000"}]}`,
		authorize: `{"id": 3, "method": "mining.authorize", "params": ["$USER", "$PASS"]}`,
		suggest:   `{"id": 4, "method": "mining.suggest_difficulty", "params": [$WHOLE]}`,
		xnsub:     `{"id": 5, "method": "mining.extranonce.subscribe", "params": []}`,
		submit:    `{"id": $ID, "method": "mining.submit", "params": ["$USER", "$JOB", "$XN2", "$NTIME", "$NONCE", "$VERSION"]}`,
		pipelines: true, subscribesFirst: true, xnsubLast: true, strict: true, extranonce: nextJob, delta: true,
		minSize: 1, maxSize: 32, longest: 16 << 10, silence: 180 * time.Second,
	},
	NerdMiner: {
		agent: "NerdMinerV2/V1.7.0", firstID: 1,
		subscribe: spacedHello,
		authorize: `{"params": ["$USER", "$PASS"], "id": $ID, "method": "mining.authorize"}`,
		suggest:   `{"id":$ID,"method":"mining.suggest_difficulty","params":[$NUMBER]}`,
		submit:    `{"id":$ID,"method":"mining.submit","params":["$USER","$JOB","$XN2","$NTIME","$NONCE"]}`,
		oneLine:   true, noWait: true, diffAtOnce: true, shortNonce: true, highFirst: true,
		minSize: 1, maxSize: 100, longest: 4096, silence: 600 * time.Second,
	},
}

func cgminer(rolling bool) dialect {
	d := dialect{
		agent: "cgminer/4.11.1", subscribe: spacedHello, resume: spacedResume, retry: spacedRetry, authorize: spacedLogin,
		suggest: `{"id": $ID, "method": "mining.suggest_difficulty", "params": [$WHOLE]}`,
		submit:  cgminerSubmit, version: spacedResult,
		ping:   `{"id": $ID, "result": "pong", "error": null}`,
		strtok: true, minSize: 2, maxSize: 8, silence: 90 * time.Second,
	}
	if rolling {
		d.configure = `{"id": $ID, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "ffffffff"}]}`
		d.maskAtOnce = true
	}
	return d
}

// bmminer is a cgminer that asks for extranonces, and waits for the reply; one that comes later it takes for that to
// authorize.
func bmminer() dialect {
	d := cgminer(false)
	d.agent, d.firstID = "bmminer/2.0.0", 1
	d.xnsub = `{"id": $ID, "method": "mining.extranonce.subscribe", "params": []}`
	d.multi = `{"id": $ID, "method": "mining.multi_version", "params": [1]}`
	d.extranonce, d.minSize, d.xnsubWait = nextJob, 1, 2*time.Second
	return d
}

// handles says whether the client acts on a method, so that it cannot take its line for a reply.
func (d *dialect) handles(method string) bool {
	switch method {
	case "mining.notify", "mining.set_difficulty":
		return true
	case "client.reconnect":
		return !d.noWait // NerdMiner knows none of these
	case "client.get_version":
		return d.version != ""
	case "client.show_message":
		return !d.noWait
	case "mining.ping":
		return d.ping != ""
	case "mining.set_extranonce":
		return d.extranonce != ignoresExtranonce
	case "mining.set_version_mask":
		return d.configure != ""
	}
	return false
}

var idPattern = regexp.MustCompile(`"id": ?([^,}]+)`)

// idIn is the id that a template has: the running number, or a fixed one.
func idIn(template string, number int) string {
	id := idPattern.FindStringSubmatch(template)[1]
	if id == "$ID" {
		return strconv.Itoa(number)
	}
	return id
}

// fill puts values into a template. None of these clients escapes what it puts there.
func fill(template string, values ...string) string {
	for i := 0; i < len(values); i += 2 {
		values[i] = "$" + values[i]
	}
	return strings.NewReplacer(values...).Replace(template)
}

// ParseKind finds a client by its name.
func ParseKind(name string) (Kind, bool) {
	return Kind(name), slices.Contains(Kinds, Kind(name))
}
