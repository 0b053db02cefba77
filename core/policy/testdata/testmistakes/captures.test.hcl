test "not there" {
  proxy   = proxy.main
  capture = "none.jsonl"
}

test "a directory" {
  proxy   = proxy.main
  capture = "../house"
}

test "empty" {
  proxy   = proxy.main
  capture = ""
}

test "with steps" {
  proxy   = proxy.main
  capture = "loka.hcl"
  golden  = ".."
  connect {}
}

test "golden alone" {
  proxy  = proxy.main
  golden = "none.jsonl"
  connect {}
}
