// Package transport moves lines between sockets. It knows TCP, TLS and deadlines, and
// nothing of what the lines mean.
package transport
