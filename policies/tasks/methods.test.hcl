include = ["methods.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "stay_here" {}
  use "no_upgrades" {}
}

proxy "strict" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "known_methods" {
    also = ["mining.get_txnhashes"]
  }
}

test "nobody sends our miners away" {
  proxy = proxy.farm

  notification "client.reconnect" {
    params = ["elsewhere.example", 3333, 0]
    expect {
      verdict = "drop"
      rules   = ["stay"]
    }
  }
}

test "a connection stays a miner's" {
  proxy = proxy.farm

  request "mining.passthrough" {
    params = []
    expect {
      verdict = "deny"
      code    = 20
      message = "Method not found"
      rules   = ["no_upgrade"]
    }
  }
  request "mining.node" {
    params = []
    expect {
      verdict = "deny"
      code    = 20
      message = "Method not found"
      rules   = ["no_upgrade"]
    }
  }
  request "mining.remote" {
    params = []
    expect {
      verdict = "deny"
      code    = 20
      message = "Method not found"
      rules   = ["no_upgrade"]
    }
  }
  request "mining.term" {
    params = []
    expect {
      verdict = "deny"
      code    = 20
      message = "Method not found"
      rules   = ["no_upgrade"]
    }
  }
  request "agent.get_capabilities" {
    params = []
    expect {
      verdict = "deny"
      code    = 20
      message = "Method not found"
      rules   = ["no_upgrade"]
    }
  }
}

test "and does what miners do" {
  proxy = proxy.farm

  request "mining.subscribe" {
    params = ["cgminer/4.11.1"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "only what miners need" {
  proxy = proxy.strict

  request "mining.hashrate" {
    params = [1000]
    expect {
      verdict = "deny"
      code    = 20
      rules   = ["unknown_method"]
    }
  }
  request "mining.get_txnhashes" {
    params = ["6a1f"]
    expect { unchanged = true }
  }
  request "pong" {
    params = []
    expect {
      rules     = []
      unchanged = true
    }
  }
}
