include = ["nicehash.hcl"]

pool "nicehash" {
  server "auto" { address = "stratum+tcp://sha256asicboost.auto.nicehash.com:9200" }
}

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "sold" {
  pool = pool.nicehash
  listener "tcp" { address = ":3333" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    names   = local.nicehash_names
  }
}

proxy "bought" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "nicehash_orders" {
    difficulty = 1000000
  }
}

# With the kind of address that the site gives.
proxy "sold_to_nhb" {
  pool = pool.nicehash
  listener "tcp" { address = ":3335" }

  use "address_worker" {
    address = "NHbVb6ryoiZsEzGiYtqVkZoLFoYbLmPo5gt4"
    names   = local.nicehash_names
  }
}

test "names of what is sold" {
  proxy = proxy.sold
  for_each = {
    "john.test"           = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.johnxtest"
    "hall1-rack2-shelf-3" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.hall1xrack2xshe"
    ""                    = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect { params = [each.value, "x"] }
  }
}

test "an address of the site's own" {
  proxy    = proxy.sold_to_nhb
  for_each = toset(["rig7", "NHbVb6ryoiZsEzGiYtqVkZoLFoYbLmPo5gt4.rig7"])

  request "mining.authorize" {
    params = [each.value, "secret"]
    expect { params = ["NHbVb6ryoiZsEzGiYtqVkZoLFoYbLmPo5gt4.rig7", "x"] }
  }
}

test "a miner that can change its extranonce says so to NiceHash" {
  proxy = proxy.sold

  request "mining.extranonce.subscribe" {
    params = []
    expect { unchanged = true }
  }
}

test "NiceHash comes with an order" {
  proxy = proxy.bought

  request "mining.subscribe" {
    params = ["NiceHash/1.0.0", "1700000000000", "9f86d081884c7d65"]
    expect {
      rules     = []
      unchanged = true
    }
  }
  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "x"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "x,d=1000000"]
      rules  = ["difficulty"]
    }
  }
  request "mining.submit" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "an order asks for another difficulty" {
  proxy = proxy.bought
  client { agent = "NiceHash/1.0.0" }

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "m=solo;d=512"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "m=solo;d=1000000"] }
  }
}

test "others are not served on its port" {
  proxy    = proxy.bought
  for_each = toset(["cpuminer/2.5.1", "", "x NiceHash/1.0.0"])

  request "mining.subscribe" {
    params = [each.value]
    expect {
      verdict = "deny"
      code    = 20
      message = "This port is for NiceHash"
      rules   = ["only_nicehash"]
    }
  }
  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "x"]
    expect {
      verdict = "deny"
      code    = 20
      message = "This port is for NiceHash"
      rules   = ["only_nicehash_names"]
    }
  }
  request "mining.submit" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      verdict = "deny"
      code    = 20
      message = "This port is for NiceHash"
      rules   = ["only_nicehash_shares"]
    }
  }
}

test "nor is who does not say what it is" {
  proxy = proxy.bought

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.nh", "x"]
    expect {
      verdict = "deny"
      rules   = ["only_nicehash_names"]
    }
  }
}
