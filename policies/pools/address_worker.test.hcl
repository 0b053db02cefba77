include = ["address_worker.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "mine" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
  }
}

proxy "customers" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "own_address" {}
}

proxy "cleaned" {
  pool = pool.main
  listener "tcp" { address = ":3335" }

  request "mining.authorize" "no_spaces" {
    set {
      user = "trim(user)"
    }
  }
  use "own_address" {}
}

test "any name becomes a worker of the address" {
  proxy = proxy.mine
  for_each = {
    "john.test" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
    "a/b~c"     = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a_b_c"
    ".rig7"     = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ._rig7"
    ""          = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.default"

    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7"
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"      = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_address"]
    }
  }
}

test "customers keep their addresses" {
  proxy = proxy.customers
  for_each = toset([
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ",
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig7",
    "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
  ])

  request "mining.authorize" {
    params = [each.value, "secret"]
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { unchanged = true }
  }
}

test "a name that was mapped to an address is one in shares too" {
  proxy = proxy.cleaned

  request "mining.authorize" {
    params = [" 37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "x"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "x"] }
  }
  request "mining.submit" {
    params = [" 37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
      rules  = []
    }
  }
}

test "what is no address is refused in shares too" {
  proxy    = proxy.customers
  for_each = toset(["", "3thief", "john.test", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7~m"])

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7", "x"]
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = [each.value, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      verdict = "deny"
      code    = 24
      message = "The name must be a Bitcoin address, or address.worker"
      rules   = ["no_address_share"]
    }
  }
}

test "what is no address is refused" {
  proxy = proxy.customers
  for_each = toset([
    "",
    "john.test",
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18S0Q.rig7",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdb",
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.",
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7~m",
    "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
  ])

  request "mining.authorize" {
    params = [each.value, "secret"]
    expect {
      verdict = "deny"
      code    = 24
      message = "The name must be a Bitcoin address, or address.worker"
      rules   = ["no_address"]
    }
  }
}
