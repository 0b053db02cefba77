// Package stratum finds its way in the lines of Stratum V1 without decoding them.
//
// A Stratum message is one JSON object on a line. A proxy that decoded every message and encoded it again would spend
// twice the CPU, and would change bytes that nobody asked it to change: the order of keys, spaces, 1024.0 to 1024.
// So Scan only says where the parts of a line are, as spans of its bytes; the views (ParseSubmit, ParseNotify, …) do
// the same for the params of each known method; and Apply puts new text into a span and leaves the rest alone.
//
//	var m stratum.Message
//	if err := stratum.Scan(line, &m); err != nil {
//		return err
//	}
//	if submit, ok := stratum.ParseSubmit(line, m.Params); ok {
//		worker := stratum.AppendString(nil, "account.rig7")
//		line = stratum.Apply(nil, line, []stratum.Edit{{Span: submit.Worker, Text: worker}})
//	}
//
// What it reads, it reads strictly. A line that the proxy takes for one message and the pool for another would be a
// way around every rule, so Scan accepts JSON's whole grammar and nothing else, and marks as Ambiguous what programs
// read in different ways; Text and Decode refuse the strings on which decoders differ. It does not judge: whether a
// share is good, a name known or a method allowed is not its business, and it knows no sockets and no sessions.
package stratum
