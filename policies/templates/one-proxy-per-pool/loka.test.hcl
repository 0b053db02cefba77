variables {
  wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
}

# These hold for every pool of the map, whatever is in it.

test "names are workers of the pool's account" {
  for_each = { for name, site in var.pools : name => "${coalesce(site.account, var.wallet)}.john${site.filler}test" }
  proxy    = proxy.site[each.key]

  request "mining.subscribe" {
    params = ["cpuminer/2.5.1", "1"]
    expect {
      params = ["cpuminer/2.5.1"]
      pool   = pool.site[each.key]
      rules  = ["agent_only"]
    }
  }
  request "mining.authorize" {
    params = ["john.test", "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
  request "mining.submit" {
    params = ["john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"] }
  }
}

test "a name that is the account's already stays" {
  for_each = { for name, site in var.pools : name => coalesce(site.account, var.wallet) }
  proxy    = proxy.site[each.key]

  request "mining.authorize" {
    params = ["${each.value}.rig7", "secret"]
    expect { params = ["${each.value}.rig7", "x"] }
  }
}

test "a subscribe without a session stays as it is" {
  for_each = var.pools
  proxy    = proxy.site[each.key]

  request "mining.subscribe" {
    params = ["cgminer/4.11.1"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

# These bring a map, and say what becomes of names with it.

test "accounts, addresses and fillers" {
  variables {
    wallet = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    pools = {
      account = {
        port    = 3340
        servers = ["stratum+tcp://pool.example:3333"]
        account = "myfarm"
      }
      address = {
        port    = 3341
        servers = ["stratum+tcp://solo.example:3333"]
      }
      filled = {
        port    = 3342
        servers = ["stratum+tcp://other.example:3333"]
        account = "myfarm"
        filler  = "x"
      }
      bare = {
        port    = 3343
        servers = ["stratum+tcp://another.example:3333"]
        account = "myfarm"
        filler  = ""
      }
    }
  }
  for_each = {
    account = "myfarm.john_test"
    address = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.john_test"
    filled  = "myfarm.johnxtest"
    bare    = "myfarm.johntest"
  }
  proxy = proxy.site[each.key]

  request "mining.authorize" {
    params = ["john.test", "secret"]
    expect { params = [each.value, "x"] }
  }
}

test "names that are odd" {
  variables {
    pools = {
      own = {
        port    = 3340
        servers = ["stratum+tcp://pool.example:3333"]
        account = "myfarm"
      }
    }
  }
  for_each = {
    ""            = "myfarm.default"
    "myfarm"      = "myfarm.default"
    "rig7~m"      = "myfarm.rig7_m"
    "myfarm2.a b" = "myfarm.myfarm2_a_b"
  }

  request "mining.authorize" {
    params = [each.key, "x"]
    expect { params = [each.value, "x"] }
  }
}
