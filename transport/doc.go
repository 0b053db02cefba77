// Package transport moves lines between sockets. It knows TCP, TLS and deadlines, and
// nothing of what the lines mean.
//
// Listen and Dial open sockets with the options a long-lived session of short lines
// needs (TCP_NODELAY, keepalive). A Conn frames one: Lines hands over what arrived as
// chunks of whole lines and holds no buffer while there is nothing to read; Write has
// one writer at a time and a deadline, so a peer that does not read holds up nobody
// but itself.
//
//	conn := transport.NewConn(nc, transport.Options{MaxLine: 16 << 10, WriteTimeout: 10 * time.Second})
//	err := conn.Lines(func(chunk []byte, at time.Time) error {
//		_, err := other.Write(chunk)
//		return err
//	})
package transport
