package core

import (
	"slices"
	"strings"
	"time"
)

// SessionInfo is what operators see of a session. Passwords are not in it.
type SessionInfo struct {
	Session  string    `json:"session"`
	Proxy    string    `json:"proxy"`
	Listener string    `json:"listener"`
	Remote   string    `json:"remote"`
	Since    time.Time `json:"since"`
	// Agent is what the miner says it is; empty before it has subscribed.
	Agent string `json:"agent"`
	// Users are the names that it mines under.
	Users []UserInfo `json:"users"`
	// Pool and Endpoint are where it is connected to; empty before it is.
	Pool     string `json:"pool"`
	Endpoint string `json:"endpoint"`
	// Chosen is the pool that an operator moved it to.
	Chosen    string `json:"chosen,omitempty"`
	Submitted int    `json:"submitted"`
	Accepted  int    `json:"accepted"`
	Rejected  int    `json:"rejected"`
	// State is open, moving for one that does not belong where it is, or leaving for one
	// that is closed once it has its answers. Reason says why it moves or leaves, in the
	// words of loka_sessions_closed_total.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// UserInfo is a name of a miner: its own, and what the pool sees.
type UserInfo struct {
	User     string `json:"user"`
	PoolUser string `json:"pool_user"`
}

// States of a session.
const (
	stateOpen    = "open"
	stateMoving  = "moving"
	stateLeaving = "leaving"
)

// SessionFilter says which sessions are asked for. What is empty matches all.
type SessionFilter struct {
	// Proxy and Pool are whole names.
	Proxy, Pool string
	// User is a name as the miner or the pool has it, or what stands before its first dot.
	User string
	// After is the id behind which the list begins, and Limit how many it has at most.
	After string
	Limit int
}

// Sessions gives the sessions that a filter matches, in the order of their ids, and tells
// whether there are more behind the last one.
func (d *Daemon) Sessions(f SessionFilter) (list []SessionInfo, more bool) {
	var all []*session
	d.eachSession(func(s *session) { all = append(all, s) })
	slices.SortFunc(all, func(a, b *session) int { return strings.Compare(a.id, b.id) })
	list = []SessionInfo{}
	for _, s := range all {
		if s.over() || s.id <= f.After || f.Proxy != "" && s.proxy().name != f.Proxy {
			continue
		}
		info := s.info()
		switch {
		case !f.matches(&info):
		case f.Limit > 0 && len(list) == f.Limit:
			return list, true
		default:
			list = append(list, info)
		}
	}
	return list, false
}

func (f *SessionFilter) matches(s *SessionInfo) bool {
	if f.Pool != "" && s.Pool != f.Pool {
		return false
	}
	means := func(name string) bool {
		account, _, _ := strings.Cut(name, ".")
		return name == f.User || account == f.User
	}
	return f.User == "" || slices.ContainsFunc(s.Users, func(u UserInfo) bool { return means(u.User) || means(u.PoolUser) })
}

// Session gives one session. The error is an *Objection where there is none of that id.
func (d *Daemon) Session(id string) (SessionInfo, error) {
	s, err := d.find(id)
	if err != nil {
		return SessionInfo{}, err
	}
	return s.info(), nil
}

func (d *Daemon) find(id string) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.sessions {
		if s.id == id && !s.over() {
			return s, nil
		}
	}
	return nil, &Objection{Reason: "there is no session " + id, Unknown: true}
}

// MoveSession has a session go to a pool of the policy in force, whatever the rules say,
// until it ends or a policy comes that lacks the pool. The error is an *Objection where
// there is no such session or pool, where the session is leaving, and where the pool
// serves nobody because it is switched to another one.
func (d *Daemon) MoveSession(id, pool string) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	s, err := d.find(id)
	if err != nil {
		return err
	}
	g := d.governing(s)
	if _, err := g.known(pool); err != nil {
		return err
	}
	if to := d.orders.switches()[pool]; to != "" {
		return object("%s is switched to %s", pool, to)
	}
	if s.leaving.Load() != nil {
		return object("session %s is leaving already", id)
	}
	s.chosen.Store(&pool)
	d.opt.Log.Info("session moved by an operator", "proxy", s.proxy().name, "session", id, "remote", s.remote, "pool", pool)
	s.reconsider(g)
	return nil
}

// CloseSession ends a session once the miner has the answers that it waits for, or after
// drain_timeout. The error is an *Objection where there is no such session.
func (d *Daemon) CloseSession(id string) error {
	s, err := d.find(id)
	if err != nil {
		return err
	}
	d.opt.Log.Info("session closed by an operator", "proxy", s.proxy().name, "session", id, "remote", s.remote)
	s.part(closeOperator)
	return nil
}

// info tells of the session as it is now.
func (s *session) info() SessionInfo {
	px := s.proxy()
	i := SessionInfo{
		Session: s.id, Proxy: px.name, Listener: s.listener.Address, Remote: s.remote, Since: s.began,
		Users: []UserInfo{}, State: stateOpen,
	}
	agent, users := s.talk.Look(func() {
		i.Submitted, i.Accepted, i.Rejected = s.tally.submitted, s.tally.accepted, s.tally.rejected
	})
	i.Agent = agent
	for _, u := range users {
		i.Users = append(i.Users, UserInfo{u.Name, u.Pool})
	}
	if l := s.inUse(); l != nil {
		i.Pool, i.Endpoint = l.pool.name, l.endpoint.server.Name
	}
	if chosen := s.chosen.Load(); chosen != nil {
		i.Chosen = *chosen
	}
	i.State, i.Reason = s.state()
	return i
}

// inUse gives the leg that the session has, or nil.
func (s *session) inUse() *leg {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" {
		return nil
	}
	return s.leg
}

// over reports whether the session has closed, though it may still be in the books: the
// miner has a moment to read what was written to it.
func (s *session) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed != ""
}

// state tells whether the session stays, and why not.
func (s *session) state() (state, reason string) {
	if why := s.leaving.Load(); why != nil {
		return stateLeaving, string(*why)
	}
	s.adopting.Lock()
	defer s.adopting.Unlock()
	switch why := s.misplaced(); why {
	case "":
		return stateOpen, ""
	case closeMoved:
		return stateMoving, string(why)
	default:
		return stateLeaving, string(why)
	}
}
