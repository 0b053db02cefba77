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
}

test "an order asks for another difficulty" {
  proxy = proxy.bought

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
}
