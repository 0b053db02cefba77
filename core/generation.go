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

// generation makes what runs a policy, after others. Nothing is bound, and nobody notices.
func (d *Daemon) generation(p *policy.Policy, before ...*generation) *generation {
	g := &generation{number: d.issued + 1, policy: p, pools: map[string]*pool{}, posts: map[string]*post{}}
	for _, pp := range p.Pools {
		var known []*pool
		for _, b := range before {
			if b.pools[pp.Address] != nil {
				known = append(known, b.pools[pp.Address])
			}
		}
		g.pools[pp.Address] = newPool(pp, known, d.opt)
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

// living gives the generations that sessions are under: that in force, and that of a policy
// under trial.
func (d *Daemon) living() []*generation {
	list := []*generation{d.current.Load()}
	if t := d.trial.Load(); t != nil {
		list = append(list, t.generation)
	}
	return list
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
