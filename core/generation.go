package core

import (
	"net"
	"strconv"

	"github.com/loka-proxy/loka/core/policy"
)

// generation is a policy, with what runs it. One is in force at a time. What is the same
// in the next one is taken over: the health of a server, the socket of a listener.
type generation struct {
	number  int
	policy  *policy.Policy
	pools   map[string]*pool
	proxies []*proxy
	posts   map[string]*post
	// order lists the posts as the policy does.
	order []string
	tally groupTally
}

// post is a listener of a policy: what is done with those who connect to its address.
type post struct {
	proxy  *proxy
	policy *policy.Listener
}

// generation makes what runs a policy, after another one or nil. Nothing is bound, and
// nobody notices.
func (d *Daemon) generation(p *policy.Policy, before *generation) *generation {
	g := &generation{number: d.issued + 1, policy: p, pools: map[string]*pool{}, posts: map[string]*post{}}
	known := map[string]*pool{}
	if before != nil {
		known = before.pools
	}
	for _, pp := range p.Pools {
		g.pools[pp.Address] = newPool(pp, known[pp.Address], d.opt)
	}
	for _, pp := range p.Proxies {
		px := d.newProxy(pp, g)
		g.proxies = append(g.proxies, px)
		for i, l := range pp.Listeners {
			key := postKey(pp, l, i)
			g.posts[key] = &post{proxy: px, policy: l}
			g.order = append(g.order, key)
		}
	}
	return g
}

// postKey tells listeners apart. Port 0 is another one each time, so there the place in
// the policy counts.
func postKey(pp *policy.Proxy, l *policy.Listener, i int) string {
	host, port, _ := net.SplitHostPort(l.Address)
	if host == "0.0.0.0" || host == "::" {
		host = ""
	}
	if number, err := strconv.Atoi(port); err != nil || number != 0 {
		return net.JoinHostPort(host, strconv.Itoa(number))
	}
	return pp.Address + " " + strconv.Itoa(i) + " " + l.Address
}
