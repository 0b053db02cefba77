test "the capture" {
  proxy   = proxy.main
  capture = "goldens.test.hcl"
  golden  = "goldens.test.hcl"
}
test "the policy" {
  proxy   = proxy.main
  capture = "client.test.hcl"
  golden  = "loka.hcl"
}
test "one" {
  proxy   = proxy.main
  capture = "loka.hcl"
  golden  = "new.jsonl"
}
test "another" {
  proxy   = proxy.main
  capture = "loka.hcl"
  golden  = "new.jsonl"
}
