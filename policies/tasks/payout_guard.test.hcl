include = ["payout_guard.hcl", "one_wallet.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "payout_guard" {
    accounts = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", "myfarm"]
  }
}

proxy "other_marks" {
  pool = pool.main
  listener "tcp" { address = ":3337" }

  use "payout_guard" {
    accounts  = ["myfarm"]
    forbidden = "/ "
  }
}

# One that watches what the pool gets.
proxy "mapped" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "one_wallet" {
    wallet = "myfarm"
  }
  use "payout_guard" {
    accounts = ["myfarm"]
  }
}

proxy "mapped_wrongly" {
  pool = pool.main
  listener "tcp" { address = ":3335" }

  use "one_wallet" {
    wallet = "thief"
  }
  use "payout_guard" {
    accounts = ["myfarm"]
  }
}

# One that watches what miners say, whatever the pool gets.
proxy "customers" {
  pool = pool.main
  listener "tcp" { address = ":3336" }

  use "payout_guard" {
    accounts = ["alpha", "beta"]
  }
  use "one_wallet" {
    wallet = "myfarm"
  }
}

test "ours pass" {
  proxy    = proxy.farm
  for_each = toset(["myfarm", "myfarm.rig7", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a.b"])

  request "mining.authorize" {
    params = [each.value, "x"]
    expect {
      rules     = []
      unchanged = true
    }
  }
  request "mining.submit" {
    params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { unchanged = true }
  }
}

test "others are refused" {
  proxy    = proxy.farm
  for_each = toset(["", "thief", "thief.rig7", "myfarm2.rig7", "myfarm_rig7", "Myfarm.rig7", "myfarm.rig7~thief", "myfarm~thief"])

  request "mining.authorize" {
    params = [each.value, "x"]
    expect {
      verdict = "deny"
      code    = 24
      message = "This account is not served here"
      rules   = ["foreign_account"]
    }
  }
}

test "what is forbidden is the policy's to say" {
  for_each = { "myfarm.rig7~m" = "forward", "myfarm.rig/7" = "deny" }
  proxy    = proxy.other_marks

  request "mining.authorize" {
    params = [each.key, "x"]
    expect { verdict = each.value }
  }
}

test "in shares too" {
  for_each = toset(["thief.rig7", "myfarm.rig7~thief"])
  proxy    = proxy.farm

  request "mining.authorize" {
    params = ["myfarm.rig7", "x"]
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      verdict = "deny"
      code    = 24
      rules   = ["foreign_share"]
    }
  }
}

test "before and behind a mapping" {
  for_each = {
    "rig7"       = { proxy = proxy.mapped, name = "myfarm.rig7" }
    "rig7~m"     = { proxy = proxy.mapped, name = "myfarm.rig7_m" }
    "alpha.rig7" = { proxy = proxy.customers, name = "myfarm.alpha_rig7" }
  }
  proxy = each.value.proxy

  request "mining.authorize" {
    params = [each.key, "x"]
    expect { pool_user = each.value.name }
  }
  request "mining.submit" {
    params = [each.key, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      params = [each.value.name, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
      rules  = []
    }
  }
}

test "a name that needs no mapping" {
  proxy = proxy.mapped

  request "mining.authorize" {
    params = ["myfarm.rig7", "x"]
    expect {
      rules     = ["to_wallet"]
      unchanged = true
    }
  }
}

test "a mapping to a wrong account pays nobody" {
  proxy = proxy.mapped_wrongly

  request "mining.authorize" {
    params = ["rig7", "x"]
    expect {
      verdict = "deny"
      code    = 24
      rules   = ["to_wallet", "foreign_account"]
    }
  }
}
