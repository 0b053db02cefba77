package exchange

// User is a name of the miner, and what it is at the pool.
type User struct{ Name, Pool string }

// Look gives what the miner says it is, and the names that it mines under. While it is
// locked, it calls also, which may read what a Recorder has written.
func (x *Exchange) Look(also func()) (agent string, users []User) {
	x.mu.Lock()
	defer x.mu.Unlock()
	also()
	for _, n := range x.leg.names.list {
		w := n.worker()
		users = append(users, User{w.name, w.pool})
	}
	agent, _ = x.agent.(string)
	return agent, users
}
