package stratum

import "strings"

// The methods that loka knows. A pool or a miner may use any other.
const (
	MethodAuthorize           = "mining.authorize"
	MethodCapabilities        = "mining.capabilities"
	MethodConfigure           = "mining.configure"
	MethodExtranonceSubscribe = "mining.extranonce.subscribe"
	MethodGetTransactions     = "mining.get_transactions"
	MethodMultiVersion        = "mining.multi_version"
	MethodNotify              = "mining.notify"
	MethodPassthrough         = "mining.passthrough"
	MethodPing                = "mining.ping"
	MethodSetDifficulty       = "mining.set_difficulty"
	MethodSetExtranonce       = "mining.set_extranonce"
	MethodSetVersionMask      = "mining.set_version_mask"
	MethodSubmit              = "mining.submit"
	MethodSubscribe           = "mining.subscribe"
	MethodSuggestDifficulty   = "mining.suggest_difficulty"
	MethodSuggestTarget       = "mining.suggest_target"
	MethodGetVersion          = "client.get_version"
	MethodReconnect           = "client.reconnect"
	MethodShowMessage         = "client.show_message"
)

// MethodOf decodes the method of a line. It does not allocate for a known method in its plain spelling. A message
// without a method is a reply, and its method is "". A method that is not a string is ErrNotString.
func MethodOf(line []byte, m *Message) (string, error) {
	raw := m.Method.Of(line)
	if raw == nil {
		return "", nil
	}
	if raw[0] != '"' {
		return "", ErrNotString
	}
	if name := known(raw[1 : len(raw)-1]); name != "" {
		return name, nil
	}
	return Text(raw)
}

// known returns the constant that the bytes spell.
func known(name []byte) string {
	switch string(name) {
	case MethodSubmit:
		return MethodSubmit
	case MethodNotify:
		return MethodNotify
	case MethodSetDifficulty:
		return MethodSetDifficulty
	case MethodSubscribe:
		return MethodSubscribe
	case MethodAuthorize:
		return MethodAuthorize
	case MethodConfigure:
		return MethodConfigure
	case MethodExtranonceSubscribe:
		return MethodExtranonceSubscribe
	case MethodSuggestDifficulty:
		return MethodSuggestDifficulty
	case MethodSetExtranonce:
		return MethodSetExtranonce
	case MethodSetVersionMask:
		return MethodSetVersionMask
	case MethodPing:
		return MethodPing
	}
	return knownRare(name)
}

func knownRare(name []byte) string {
	switch string(name) {
	case MethodCapabilities:
		return MethodCapabilities
	case MethodGetTransactions:
		return MethodGetTransactions
	case MethodMultiVersion:
		return MethodMultiVersion
	case MethodPassthrough:
		return MethodPassthrough
	case MethodSuggestTarget:
		return MethodSuggestTarget
	case MethodGetVersion:
		return MethodGetVersion
	case MethodReconnect:
		return MethodReconnect
	case MethodShowMessage:
		return MethodShowMessage
	}
	return ""
}

// Known reports whether a method is one of the constants.
func Known(method string) bool { return known([]byte(method)) != "" }

// shortAuthorize is what ckpool goes by.
const shortAuthorize = "mining.auth"

// Resembles gives the known method that some program takes another one for, or "". ckpool and the miners of cgminer's
// family compare only as many bytes as the method they know has, without regard to case: to them "Mining.AuthorizeX"
// is mining.authorize.
func Resembles(method string) string {
	for _, name := range resembled {
		if method != name && len(method) >= len(name) && strings.EqualFold(method[:len(name)], name) && !Known(method) {
			return name
		}
	}
	if len(method) >= len(shortAuthorize) && strings.EqualFold(method[:len(shortAuthorize)], shortAuthorize) && !Known(method) {
		return MethodAuthorize
	}
	return ""
}

// resembled are the methods that a rule or loka itself goes by.
var resembled = []string{
	MethodSubmit, MethodNotify, MethodSetDifficulty, MethodSubscribe, MethodAuthorize, MethodConfigure,
	MethodExtranonceSubscribe, MethodSuggestDifficulty, MethodSuggestTarget, MethodSetExtranonce, MethodSetVersionMask,
	MethodPassthrough, MethodGetTransactions, MethodMultiVersion, MethodReconnect, MethodShowMessage, MethodGetVersion,
}
