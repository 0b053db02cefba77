include = ["public_pool.hcl"]

pool "solo" {
  server "main" { address = "stratum+tcp://public-pool.io:3333" }
}

proxy "farm" {
  pool = pool.solo
  listener "tcp" { address = ":3333" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    names   = local.public_pool_names
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

test "a password is made up where there is none" {
  request "mining.authorize" {
    params = ["rig7"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "x"] }
  }
}
