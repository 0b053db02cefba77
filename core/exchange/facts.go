package exchange

import (
	"github.com/loka-proxy/loka/rules"
)

// boxed are the facts that rules may ask for, boxed once for the whole conversation.
type boxed struct {
	clientIP, clientPort, session, listener, proxy any
}

func box(cfg Config) boxed {
	return boxed{
		clientIP: cfg.ClientIP, clientPort: cfg.ClientPort, session: cfg.Session,
		listener: cfg.Listener, proxy: cfg.Proxy,
	}
}

var noText any = ""

// facts shows a conversation to its rules. It is a type of its own so that Fact is no
// method of Exchange: it may only be called with the lock held.
type facts struct{ x *Exchange }

func (f facts) Fact(n rules.Name) any {
	x := f.x
	switch n {
	case rules.ClientIP:
		return x.boxed.clientIP
	case rules.ClientPort:
		return x.boxed.clientPort
	case rules.ClientAgent:
		return x.agent
	case rules.SessionID:
		return x.boxed.session
	case rules.SessionAge:
		return x.now.Sub(x.cfg.Opened).Seconds()
	case rules.ListenerName:
		return x.boxed.listener
	case rules.ProxyName:
		return x.boxed.proxy
	case rules.PoolName:
		return x.facing.pool
	case rules.UserName:
		if w := x.whose(); w != nil {
			return w.boxedName
		}
	case rules.PoolUserName:
		if w := x.whose(); w != nil {
			return w.boxedPool
		}
	}
	return noText
}

// whose is the worker that the message at hand concerns: the one it names, else the
// one that was authorised last.
func (x *Exchange) whose() *worker {
	if x.current != nil {
		return x.current
	}
	return x.facing.names.latest
}
