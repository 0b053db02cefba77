variables {}
variables {}

tests "a typo" {}

test "no label" "or two" {}

test "" {
  proxy = proxy.main
  connect {}
}

test "same" {
  proxy = proxy.main
  connect {}
}

test "same" {
  proxy = proxy.main
  connect {}
}

test "wrong parts" {
  prxy   = proxy.main
  proxy  = proxy.main
  clocks = "2026-01-01T00:00:00Z"
  client {}
  client {}
  variables {}
  variables {}
  requests "mining.submit" {}
  request {}
  request "mining.submit" "name" {}
  connect "x" {}
}

test "nothing in it" {
  proxy = proxy.main
}
