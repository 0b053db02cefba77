// Package core is the proxy: it joins what transport reads with what rules decide, and
// holds all state.
//
// A Daemon runs the proxies of one policy. For every miner that connects there is a
// session, from accept to close: it hears the miner's first line, dials the pool, and
// then has two goroutines, one for each direction, which hand chunks of lines to the
// conversation (core/exchange) and write what comes out of it. A pool is dialled by the
// session, never by the accept loop, so a dead pool holds up nobody but its own miners.
//
// A session may be moved to another pool or server while it mines (move.go): the other one
// is made ready by the conversation (exchange.Prepare), and the leg in use is left when
// it is (exchange.Switch). What it had asked there is still answered for a while. A mover
// for each proxy spreads the moves over time (mover.go), and the watch looks at every session
// once a second for what no message tells (watch.go).
//
// Which server of a pool a miner goes to is the strategy's to say (strategy.go,
// balance.go). How a server is, its sessions tell (endpoint.go). One goroutine of the Daemon
// watches over the pools: it probes the servers of which no session can tell (probe.go),
// and decides once a second who is to leave which server.
//
// # Glossary
//
// The same word is used for the same thing in policies, rules, logs, metrics and code:
//
//	miner       a machine, or its software, that connects to loka
//	worker      a name that a miner submits shares under
//	user        that name as the miner gives it; pool_user is what the pool sees
//	session     one visit of a miner, from accept to close
//	proxy       listeners, the pool behind them and the rules between: a block of the policy
//	pool        who gives work and judges shares; it has one or more servers
//	endpoint    one server of a pool, while loka runs
//	leg         a session's connection to a pool; one that was left is late for a while
//	move        to have a session go on with another leg
//	campaign    a wave of moves, and what came of it
//	trial       a policy that holds for some of the sessions first
//	message     a request, a response or a notification: one line
//	rule        a block of the policy that looks at messages of one kind and method
//	verdict     what became of a message, or what the pool said of a share
//	reason      why, as one word of a small set
//	generation  the number of a loaded policy
package core
