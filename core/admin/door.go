package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// reading lets those through who may read.
func (d Door) reading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Open || d.Local || d.knows(r) {
			next.ServeHTTP(w, r)
			return
		}
		d.refuse(w)
	})
}

// changing lets those through who may change something. A page of another site that has
// an operator's browser call us never has the token.
func (d Door) changing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Open || d.knows(r) {
			next.ServeHTTP(w, r)
			return
		}
		d.refuse(w)
	})
}

// knows reports whether a request has the token. Sums are compared, so that the time it
// takes tells nothing of the token, not even its length.
func (d Door) knows(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || d.Token == "" {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(d.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (d Door) refuse(w http.ResponseWriter) {
	if d.Token == "" {
		http.Error(w, "the policy has no admin token, so this is not served here", http.StatusForbidden)
		return
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	http.Error(w, "this needs the admin token", http.StatusUnauthorized)
}
