include = ["account_worker.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "defaults" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
  }
}

proxy "strict" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "account_worker" {
    account  = "myfarm"
    names    = { extra = "", filler = "", length = 8, lowercase = true }
    fallback = "0"
    password = ""
  }
}

test "any name becomes a worker" {
  proxy = proxy.defaults
  for_each = {
    "john.test"      = "myfarm.john_test"
    "myfarm.rig7"    = "myfarm.rig7"
    "myfarm"         = "myfarm.default"
    "myfarm2.rig7"   = "myfarm.myfarm2_rig7"
    "rack 3/slot 12" = "myfarm.rack_3_slot_12"
    "rig-7_a"        = "myfarm.rig-7_a"
    "x'; drop"       = "myfarm.x___drop"
    ""               = "myfarm.default"

    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig7" = "myfarm.bc1qar0srrr7xfkvy5l643lydnw9re59"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
}

test "a name that is missing is made up" {
  proxy = proxy.defaults

  request "mining.authorize" {
    params = []
    expect { params = ["myfarm.default", "x"] }
  }
}

test "the worker's name holds for its shares" {
  proxy = proxy.defaults

  request "mining.authorize" {
    params = ["john.test", "secret"]
    expect { pool_user = "myfarm.john_test" }
  }
  response "mining.authorize" {
    result = true
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = ["john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { params = ["myfarm.john_test", "6a1f", "00000000", "66a0b1c2", "deadbeef"] }
  }
}

test "a stricter pool" {
  proxy = proxy.strict
  for_each = {
    "John.Test"         = "myfarm.johntest"
    "rack 3/slot 12"    = "myfarm.rack3slo"
    "myfarm.a.b"        = "myfarm.ab"
    "abcdefghijklmnopq" = "myfarm.abcdefgh"
    "..."               = "myfarm.0"
    "Ünal"              = "myfarm.nal"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect { params = [each.value, "secret"] }
  }
}
