package policy

import (
	"strings"
	"testing"
)

// TestRoutesByUser allows them where the extranonce is stable, and nowhere else.
func TestRoutesByUser(t *testing.T) {
	const summary = "Route by user without a stable extranonce"
	for extranonce, refused := range map[string]bool{"": true, "extranonce = \"pool\"": true, "extranonce = \"stable\"": false} {
		t.Run(extranonce, func(t *testing.T) {
			files(t, "loka.hcl", `
pool "a" {
  server "x" { address = "stratum+tcp://127.0.0.1:1" }
}
pool "b" {
  server "x" { address = "stratum+tcp://127.0.0.1:2" }
}
ruleset "teams" {
  request "mining.authorize" "b" {
    when = "user startsWith 'b.'"
    route { pool = pool.b }
  }
}
proxy "p" {
  pool = pool.a
  `+extranonce+`
  listener "tcp" { address = "127.0.0.1:3333" }
  use "teams" {}
}
`)
			_, ds := Load(".", Options{})
			if got := show(t, ds); strings.Contains(got, summary) != refused {
				t.Errorf("what is said:\n%s", got)
			}
		})
	}
}
