include = ["miningrigrentals.hcl"]

pool "mrr" {
  server "eu" { address = "stratum+tcp://eu-01.miningrigrentals.com:3333" }
}

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "rig" {
  pool = pool.mrr
  listener "tcp" { address = ":3333" }

  use "mrr_rig" {
    account = "myname"
    rig     = "123456"
  }
}

proxy "rented" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "mrr_rental" {
    names      = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental"]
    difficulty = 262144
  }
}

test "all machines have the rig's name" {
  proxy    = proxy.rig
  for_each = toset(["john.test", "myname.123456", "myname.999999", ""])

  request "mining.authorize" {
    params = [each.value, "secret"]
    expect {
      params = ["myname.123456", "x"]
      rules  = ["to_rig"]
    }
  }
}

test "a machine submits under its own name" {
  proxy = proxy.rig

  request "mining.authorize" {
    params = ["shelf.1", "x"]
    expect { pool_user = "myname.123456" }
  }
  request "mining.submit" {
    params = ["shelf.1", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { params = ["myname.123456", "6a1f", "00000000", "66a0b1c2", "deadbeef"] }
  }
}

test "a rental gets its difficulty" {
  proxy = proxy.rented

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental", "x"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental", "x,d=262144"]
      rules  = ["difficulty"]
    }
  }
  request "mining.submit" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "nor are their shares" {
  proxy    = proxy.rented
  for_each = toset(["", "thief.x", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"])

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental", "x"]
    expect { rules = ["difficulty"] }
  }
  request "mining.submit" {
    params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      verdict = "deny"
      code    = 24
      message = "Unauthorized worker"
      rules   = ["only_rentals_shares"]
    }
  }
}

test "others are not served" {
  proxy    = proxy.rented
  for_each = toset(["", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", "john.test"])

  request "mining.authorize" {
    params = [each.value, "d=1"]
    expect {
      verdict = "deny"
      code    = 24
      rules   = ["only_rentals"]
    }
  }
}
