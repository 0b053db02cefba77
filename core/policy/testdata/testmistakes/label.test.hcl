test "one label too many" {
  proxy = proxy.main
  request "mining.authorize" "to_wallet" {
    params = ["john", "x"]
  }
}

test "no label" {
  proxy = proxy.main
  request {}
}

test "a typo" {
  proxy = proxy.main
  requests "mining.authorize" {}
}

test "a client that says nothing" {
  proxy = proxy.main
  client { port = 5 }
}

test "no method" {
  proxy = proxy.main
  request "" {
    line = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}"
  }
}
