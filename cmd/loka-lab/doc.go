// Command loka-lab is a test bench for Stratum V1 proxies: a small pool that checks every share, and miners that find
// real ones. It is for people who try a policy before they trust it with their hash rate, and for loka's own tests.
//
// A pool, and twelve miners of all sorts that mine at it, each with a share every five seconds:
//
//	loka-lab pool --listen 127.0.0.1:3333 --difficulty 0.00001
//	loka-lab miners --address 127.0.0.1:3333 --count 12 --user 'farm.rig{n}' --rate 12
//
// Put loka between the two, and the pool says under which names the shares arrive. It computes the hash of each share
// from the job it gave out, so a byte that gets lost on the way is a share with low difficulty; flags give it the
// habits of the pools that are out there. The miners speak byte for byte like cpuminer, cgminer, bfgminer, ESP-Miner
// and NerdMiner, and are as unforgiving. They count the replies to their shares, and the command fails if one was
// missing or came twice.
//
// Neither shares code with the proxy. The packages work, pool and miner are the same for use in tests, where nothing
// sleeps: what has been seen can be waited for.
package main
