test "the line is another message" {
  proxy = proxy.main
  request "mining.authorize" {
    line = "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}"
    expect { unchanged = true }
  }
  request "mining.authorize" {
    line = "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[]}"
    expect { unchanged = true }
  }
  request "mining.authorize" {
    line = "not JSON"
    expect { unchanged = true }
  }
  request "mining.authorize" {
    line = "{\"id\":1,\"method\":7}"
  }
}

test "expects nothing" {
  for_each = { a = 1, b = 2 }
  proxy    = proxy.main
  connect {}
  request "mining.submit" {
    params = ["x"]
    expect {}
  }
}

test "asserts" {
  proxy = proxy.main
  request "mining.submit" {
    params = ["x"]
    assert {
      condition     = "user == 'x'"
      error_message = "It is not x."
    }
  }
}

test "replays" {
  proxy   = proxy.main
  capture = "doubts.test.hcl"
}
