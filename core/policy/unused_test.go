package policy

import (
	"strings"
	"testing"
)

// TestIncludedFilesAreOffers: what a policy does not use of a file that it includes is no
// mistake, while what it does not use of its own is.
func TestIncludedFilesAreOffers(t *testing.T) {
	const offer = `
locals {
  taken = "a"
  left  = "b"
}
ruleset "taken" {
  variable "name" { type = string }
  request "mining.authorize" "x" {
    set { user = "var.name" }
  }
}
ruleset "left" {
  request "mining.submit" "x" {
    drop {}
  }
}
`
	const own = `
pool "main" {
  server "a" { address = "stratum+tcp://pool.example:3333" }
}
proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
  use "taken" { name = local.taken }
}
`
	files(t, "library/offer.hcl", offer, "loka.hcl", `include = ["library/offer.hcl"]`+own)
	if _, ds := Load("loka.hcl", Options{}); len(ds) > 0 {
		t.Errorf("of an included file:\n%s", show(t, ds))
	}
	files(t, "loka.hcl", offer+own)
	_, ds := Load("loka.hcl", Options{})
	if got := show(t, ds); len(ds) != 2 || !strings.Contains(got, "local.left") || !strings.Contains(got, `ruleset "left"`) {
		t.Errorf("of its own:\n%s", got)
	}
}
