package policy

import (
	"math"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/rules"
)

// The blocks of a policy, the outermost last.
var (
	validationBlock = &blockType{
		name: "validation", doc: "A condition that the value of the variable has to meet.",
		args: []argumentType{
			{name: "condition", required: true, is: isBool, doc: "Plain HCL about var and the name of the variable."},
			{name: "error_message", required: true, is: isText, doc: "What is said when the condition is false."},
		},
	}
	variableBlock = &blockType{
		name: "variable", labels: []string{"name"},
		doc: "A value from outside: of the policy, by --var, --var-file, LOKA_VAR_name or a *.auto.vars.hcl; of a ruleset, by the block use.",
		args: []argumentType{
			{name: "type", is: isType, without: "that of a simple default, else any", doc: "As in string, number, bool, list(string), map(number) or object({ a = string, b = optional(number, 1) })."},
			{name: "default", is: isAny, without: "a value must be given", doc: "The value where none is given. env(\"NAME\") works here only."},
			{name: "description", is: isText, doc: "What the value is for; shown where it is missing."},
			{name: "sensitive", is: isBool, fallback: false, doc: "Keeps the value out of diagnostics, logs, traces and records."},
		},
		blocks: []*blockType{validationBlock},
	}
	localsBlock = &blockType{
		name: "locals", doc: "Values with a name, for the rest of the policy: local.name. They may refer to variables, to pools and to one another.",
		free: "a name and its value",
	}
	serverBlock = &blockType{
		name: "server", labels: []string{"name"}, doc: "One server of the pool. With strategy \"failover\" their order in the file counts.",
		args: []argumentType{
			{name: "address", required: true, is: isText, doc: "stratum+tcp://host:port, or stratum+ssl://host:port for TLS."},
			{name: "weight", is: isNumber, fallback: 1, least: 1, most: 1_000_000, doc: "Its part of the work, beside the weights of the others; for strategy \"weighted\" only."},
			{name: "tls_ca_file", is: isText, without: "the system's", doc: "A file of certificates (PEM) that the server's is verified by. Relative to the policy file."},
			{name: "tls_server_name", is: isText, without: "the host of the address", doc: "The name that the certificate must be for."},
			{name: "tls_insecure_skip_verify", is: isBool, fallback: false, doc: "Takes any certificate: anybody on the way could then be the pool."},
		},
	}
	healthBlock = &blockType{
		name: "health_check", doc: "How servers are probed, which happens by a subscribe, and only where no miner tells how a server is: while it is down (0.5 to 30 seconds after the last failure, more with each, and every second while miners are held for its pool), " +
			"until it counts as well again, and while it stands by, that is, miners are at other servers of a pool with strategy \"failover\" or \"weighted\".",
		args: []argumentType{
			{name: "interval", is: isDuration, fallback: 10 * time.Second, doc: "From one probe of a server that stands by to the next, give or take a tenth."},
			{name: "timeout", is: isDuration, fallback: 5 * time.Second, doc: "How long a probe may take."},
			{name: "failures", is: isNumber, fallback: 3, least: 1, most: 1000, doc: "After how many failed probes in a row a server that was up is down. What happens to miners counts too."},
		},
	}
	poolBlock = &blockType{
		name: "pool", labels: []string{"name"}, doc: "A pool: servers that are one place to mine at. Referred to as pool.name or, with for_each, pool.name[\"key\"].",
		args: []argumentType{
			forEachArgument,
			{
				name: "strategy", is: isText, fallback: "failover", choices: []string{"failover", "round_robin", "weighted", "least_sessions"},
				doc: "How a server is chosen for a miner: \"failover\", the first in the file that is well; \"round_robin\", each in turn; \"weighted\", so that the difficulty of their accepted shares " +
					"comes to be as their weights are; \"least_sessions\", the one with the fewest miners. Servers that are down, or were not long ago, come last.",
			},
			{name: "dial_timeout", is: isDuration, fallback: 5 * time.Second, doc: "For the name, TCP and TLS of one server."},
			{name: "reply_timeout", is: isDuration, fallback: 15 * time.Second, doc: "To the pool's first line."},
			{name: "response_timeout", is: isDuration, fallback: 30 * time.Second, doc: "A pool that leaves a request unanswered for so long, and says nothing else meanwhile, is down."},
			{name: "idle_timeout", is: isDuration, fallback: 10 * time.Minute, doc: "A pool that has sent nothing for so long is left."},
			{name: "write_timeout", is: isDuration, fallback: 10 * time.Second, doc: "For one write to the pool."},
			{name: "max_line_bytes", is: isNumber, fallback: 256 << 10, least: 1 << 10, most: 16 << 20, doc: "The longest line that is taken from the pool."},
			{name: "max_request_bytes", is: isNumber, fallback: 1023, least: 256, most: 1 << 20, doc: "Of lines that a rule makes; ckpool takes no longer ones."},
			{name: "failback_after", is: isDuration, fallback: time.Minute, doc: "How long a server that was down must be up without a break before it counts as well again; longer if that did not last the last time. With strategy \"failover\", miners at later servers then go back to it. With \"weighted\", servers must also be out of balance for so long, and 30s at least, before miners are moved."},
			{name: "extranonce2_size", is: isNumber, fallback: 4, least: 1, most: 16, doc: "The bytes that its servers leave to a miner, for proxies with extranonce = \"stable\"."},
		},
		blocks: []*blockType{serverBlock, healthBlock, dynamicBlock("server")},
	}
	listenerBlock = &blockType{
		name: "listener", labels: []string{"type"}, doc: "A socket that miners connect to. The type is \"tcp\".",
		args: []argumentType{
			{name: "address", required: true, is: isText, doc: "As in \":3333\" for all interfaces, or \"127.0.0.1:3333\"."},
			{name: "max_connections", is: isNumber, fallback: 0, without: "no limit", least: 1, most: 1 << 20, doc: "How many miners may be connected at once."},
			{name: "max_line_bytes", is: isNumber, fallback: 16 << 10, least: 512, most: 1 << 20, doc: "The longest line that is taken from a miner."},
			{name: "handshake_timeout", is: isDuration, fallback: 30 * time.Second, doc: "To the miner's first request."},
			{name: "write_timeout", is: isDuration, fallback: 10 * time.Second, doc: "For one write to a miner. One that does not read is closed."},
		},
	}
	useBlock = &blockType{
		name: "use", labels: []string{"ruleset"}, doc: "Puts the rules of a ruleset here. May be given again, with other values.",
		free: "a variable of the ruleset and its value",
	}
	proxyAuditBlock = &blockType{
		name: "audit", doc: "Which events of the proxy are kept, and where. Read, but not acted on yet.",
		args: []argumentType{
			{name: "sinks", required: true, is: isSinks, doc: "As in [audit.file.main]."},
			{name: "events", is: isTexts, without: "all", choices: []string{"session", "authorize", "share", "rewrite", "deny", "route", "move", "policy"}, doc: "What is kept."},
		},
	}
	proxyBlock = &blockType{
		name: "proxy", labels: []string{"name"}, doc: "Listeners, the pool that their miners go to, and the rules between. With for_each it is a template: one proxy for each element.",
		args: []argumentType{
			forEachArgument,
			{name: "pool", required: true, is: isPool, doc: "Where miners go that no rule routes elsewhere."},
			{name: "extranonce", is: isText, fallback: "pool", choices: []string{"pool", "stable"}, doc: "Whose extranonce miners get: \"pool\", the pool's own, or \"stable\", one of loka's that stays the same when a miner is moved. It needs pools with an extranonce2_size of 4 or more."},
			{name: "on_all_down", is: isText, fallback: "close", choices: []string{"close", "hold"}, doc: "What becomes of miners while every server of their pool is down: they are closed, or held until one is up. Only a miner that has subscribed is held."},
			{name: "max_moves_per_second", is: isNumber, fallback: 100, least: 1, most: 100_000, doc: "How many miners are moved to another server in a second."},
			{name: "max_concurrent_moves", is: isNumber, fallback: 100, least: 1, most: 100_000, doc: "How many miners are on their way to another server at once."},
			{name: "reconnect_grace", is: isDuration, fallback: time.Minute, doc: "How long a miner that cannot be told of a new extranonce may take to reconnect before it is closed."},
		},
		blocks: append([]*blockType{listenerBlock, dynamicBlock("listener"), useBlock, proxyAuditBlock}, ruleBlocks...),
	}
	rulesetBlock = &blockType{
		name: "ruleset", labels: []string{"name"}, doc: "Rules with variables of their own, for proxies to use. They see these variables and the pools, and nothing else of the policy.",
		blocks: append([]*blockType{variableBlock}, ruleBlocks...),
	}
	adminBlock = &blockType{
		name: "admin", doc: "Where metrics and health are served. Without it nothing is.",
		args: []argumentType{
			{name: "address", is: isText, without: "none", doc: "As in \"127.0.0.1:9464\"."},
			{name: "socket", is: isText, without: "none", doc: "The path of a Unix socket. Who may open the file may do everything."},
			{name: "token", is: isText, without: "nobody changes anything by address", doc: "What those who change something by address have to show, and those who read where others than this machine can reach it. 16 characters or more."},
		},
	}
	logBlock = &blockType{
		name: "log", doc: "What is logged, and how. LOKA_LOG_LEVEL and LOKA_LOG_FORMAT in the environment override it.",
		args: []argumentType{
			{name: "level", is: isText, fallback: "info", choices: []string{"trace", "debug", "info", "warn", "error"}, doc: "The least that is logged."},
			{name: "format", is: isText, fallback: "text", choices: []string{"text", "json"}, doc: "For people, or for programs."},
		},
	}
	rolloutBlock = &blockType{
		name: "rollout", doc: "Has a policy that comes with a reload hold for a share of the miners first. Such a policy changes rules, routes and pools only.",
		args: []argumentType{
			{name: "percent", required: true, is: isNumber, least: 1, most: 99, doc: "The share of the miners, chosen by proxy and remote address."},
			{name: "for", required: true, is: isDuration, doc: "After so long the policy holds for all."},
			{name: "abort_if", is: isExpression, without: "never", doc: "When this is true, the policy before holds for all again, and this one is refused. It is about candidate and stable, the miners with and without the new policy: each has sessions, submitted, accepted, rejected, reject_rate and hashrate, since the rollout began."},
		},
	}
	policyBlock = &blockType{
		name: "policy", doc: "The top level of the files. All *.hcl of a directory are one policy, *.test.hcl and *.vars.hcl aside.",
		args: []argumentType{
			{name: "include", is: isTexts, doc: "Files that belong to the policy too, as in [\"pools.hcl\", \"sites/*.hcl\"]. Relative to the file."},
			{name: "drain_timeout", is: isDuration, fallback: 5 * time.Second, doc: "How long miners may wait for their answers when loka stops."},
		},
		blocks: []*blockType{variableBlock, localsBlock, poolBlock, rulesetBlock, proxyBlock, sinkBlock, adminBlock, logBlock, rolloutBlock},
	}
)

// sinkBlock is the block audit of the top level; which arguments it has depends on its
// first label.
var (
	sinkBlock = &blockType{
		name: "audit", labels: []string{"type", "name"}, doc: "A place where records are kept: of type \"file\", \"sqlite\" or \"postgres\". Read, but not acted on yet.",
	}
	sinkBlocks = map[string]*blockType{
		"file": {name: `audit "file"`, labels: []string{"name"}, doc: "Lines of JSON.", args: []argumentType{
			{name: "path", required: true, is: isText, doc: "The file."},
			{name: "mode", is: isText, doc: "Its mode, as in \"0640\"."},
			redactArgument,
		}},
		"sqlite": {name: `audit "sqlite"`, labels: []string{"name"}, doc: "A SQLite database.", args: []argumentType{
			{name: "path", required: true, is: isText, doc: "The file of the database."},
			redactArgument,
		}},
		"postgres": {name: `audit "postgres"`, labels: []string{"name"}, doc: "A PostgreSQL database.", args: []argumentType{
			{name: "url", required: true, is: isText, doc: "As in postgres://user:password@host/database. It is never shown."},
			redactArgument,
		}},
	}
)

var (
	forEachArgument = argumentType{name: "for_each", is: isForEach, without: "one", doc: "Makes one for each element; in the block, each.key and each.value are the element."}
	redactArgument  = argumentType{name: "redact", is: isTexts, doc: "Fields that are left out of the records."}
)

// dynamicBlock is HCL's own block for making blocks in a list.
func dynamicBlock(kind string) *blockType {
	return &blockType{
		name: "dynamic", labels: []string{"type"},
		doc: "Makes one block " + kind + " for each element of for_each, as in dynamic " + strconv.Quote(kind) + " { for_each = LIST, labels = [LABEL], content { … } }. " +
			"In labels and content, " + kind + ".value is the element.",
	}
}

// ruleBlocks are the blocks that are rules; the kinds differ in their labels and in when
// they run.
var ruleBlocks = []*blockType{
	ruleBlock("connect", "A rule for miners that connect, before anything is said.", "name"),
	ruleBlock("request", "A rule for what miners ask. The method may end in *, as in \"mining.*\".", "method", "name"),
	ruleBlock("response", "A rule for what the pool answers to requests of the method.", "method", "name"),
	ruleBlock("notification", "A rule for what the pool says by itself.", "method", "name"),
}

func ruleBlock(name, doc string, labels ...string) *blockType {
	return &blockType{name: name, labels: labels, doc: doc, args: ruleArguments, blocks: outcomeBlocks}
}

var ruleArguments = []argumentType{
	{name: "description", is: isText, doc: "What the rule is for. For people."},
	{name: "when", is: isExpression, without: "always", doc: "Whether the rule matches: an expression that is true or false."},
	{name: "stop", is: isBool, fallback: false, doc: "Ends the walk over the rules when this one matches."},
	{
		name: "on_error", is: isText, without: "deny for connect and requests, else skip", choices: []string{"deny", "skip", "drop"},
		doc: "What becomes of a message on which an expression of the rule fails.",
	},
}

var (
	setBlock  = &blockType{name: "set", doc: "Gives fields of the message new values. Every expression in it sees the message as the rule got it.", free: "a field and an expression"}
	denyBlock = &blockType{
		name: "deny", doc: "Refuses a request with an error, or a connection. Ends the walk.",
		args: []argumentType{
			{name: "code", is: isNumber, without: strconv.Itoa(rules.DeniedCode), least: 1, most: math.MaxInt32, doc: "The code of the error. 24 is the one for names."},
			{name: "message", is: isText, without: strconv.Quote(rules.DeniedText), doc: "Its text: one line, 200 bytes at most."},
		},
	}
	replyBlock = &blockType{
		name: "reply", doc: "Answers a request in the pool's place. Ends the walk.",
		args: []argumentType{
			{name: "result", is: isExpression, without: "null", doc: "The result."},
			{name: "error", is: isExpression, without: "null", doc: "The error, as in \"[20, 'no', nil]\"."},
		},
	}
	dropBlock  = &blockType{name: "drop", doc: "Lets the message vanish. Ends the walk."}
	routeBlock = &blockType{
		name: "route", doc: "Sends the miner to another pool. Does not end the walk; the last route counts.",
		args: []argumentType{{name: "pool", required: true, is: isPool, doc: "As in pool.rental."}},
	}
	outcomeBlocks = []*blockType{setBlock, denyBlock, replyBlock, dropBlock, routeBlock}
)
