package rules

// Name is a name of the vocabulary that Facts answers for.
type Name uint8

// The names that Facts answers for, with their types in expressions.
const (
	ClientIP     Name = iota // client.ip, string
	ClientPort               // client.port, int
	ClientAgent              // client.agent, string: the user agent given at subscribe, "" before
	SessionID                // session.id, string
	SessionAge               // session.age, float: seconds since the miner connected
	ListenerName             // listener, string: the address as the policy gives it
	ProxyName                // proxy, string: an address such as proxy.site["braiins"]
	PoolName                 // pool, string: an address such as pool.site["braiins"]
	UserName                 // user, string: the miner's own name, where the message does not carry it; "" before authorize
	PoolUserName             // pool_user, string: the name the pool sees; "" before authorize
)
