variables {
  wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
}

test "names are workers of the pool's account" {
  for_each = {
    braiins = "myfarm.john_test"
    ckpool  = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
    viabtc  = "myfarm.johnxtest"
  }
  proxy = proxy.site[each.key]

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

test "a subscribe without a session stays as it is" {
  for_each = toset(["braiins", "ckpool", "viabtc"])
  proxy    = proxy.site[each.value]

  request "mining.subscribe" {
    params = ["cgminer/4.11.1"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "a site has its own wallet" {
  variables {
    wallet = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    pools = {
      own = {
        port    = 3340
        servers = ["stratum+tcp://pool.example:3333"]
      }
    }
  }

  request "mining.authorize" {
    params = ["rig7", "x"]
    expect { params = ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig7", "x"] }
  }
}
