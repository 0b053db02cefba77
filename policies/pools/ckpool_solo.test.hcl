include = ["ckpool_solo.hcl"]

pool "solo" {
  server "main" { address = "stratum+tcp://solo.ckpool.org:3333" }
}

proxy "farm" {
  pool = pool.solo
  listener "tcp" { address = ":3333" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    names   = local.ckpool_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
    "a/b"       = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a_b"
    ""          = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.default"

    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_address"]
    }
  }
}

test "shares come under the name that was authorised" {
  request "mining.authorize" {
    params = ["john.test", "secret"]
    expect { pool_user = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test" }
  }
  response "mining.authorize" {
    result = true
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = ["john.test", "66a0b1c20000001f", "0000000000000001", "66a0b1c2", "deadbeef", "00006000"]
    expect {
      params = [
        "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test",
        "66a0b1c20000001f", "0000000000000001", "66a0b1c2", "deadbeef", "00006000",
      ]
    }
  }
}
