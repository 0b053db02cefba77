// Package exchange is one miner's conversation with its pool, without the sockets.
//
// It is given the lines of both sides, one at a time, and says what goes where: the
// line itself, byte for byte, where no rule touches it; the line with only the
// changed parts replaced; an answer of loka's own; or nothing. On the way it observes
// what a proxy must know: which requests are unanswered, under which names the miner
// may submit and what those names are at the pool.
//
// A conversation can go on with another pool. Each connection to a pool is a Leg with
// requests, names and work of its own; Prepare begins one beside the one in use, Switch
// makes it the one in use and tells the miner, and Gone settles what one never answered.
// Where the miner has an extranonce of its own (layout.go), it understands any switch.
//
// The proxy's session and the tests of a policy run this very code, so a rule that
// passes its test does the same to a miner. It knows no socket, and no clock but the
// times it is given.
//
//	x := exchange.New(exchange.Config{Program: p.Program, Pool: "pool.main"}, recorder)
//	var out exchange.Out
//	x.FromMiner([]byte(`{"id":1,"method":"mining.subscribe","params":[]}`+"\n"), now, &out)
//	// out.Pool holds the line for the pool.
package exchange
