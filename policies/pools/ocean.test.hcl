include = ["ocean.hcl"]

pool "ocean" {
  server "main" { address = "stratum+tcp://mine.ocean.xyz:3334" }
}

pool "gateway" {
  server "lan" { address = "stratum+tcp://gateway.example:23334" }
}

proxy "farm" {
  pool = pool.ocean
  listener "tcp" { address = ":3333" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    names   = local.ocean_names
  }
}

proxy "shared" {
  pool = pool.gateway
  listener "tcp" { address = ":3334" }

  use "address_worker" {
    address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    names   = local.ocean_names
  }
  use "datum_modifier" {
    modifier = "landlord"
  }
}

# The gateway's own: what miners authorise under is passed on but for the modifier.
proxy "own_addresses" {
  pool = pool.gateway
  listener "tcp" { address = ":3335" }

  use "datum_modifier" {
    modifier = "landlord"
  }
}

test "a miner chooses no modifier" {
  proxy = proxy.farm
  for_each = {
    "john.test"    = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
    "rig7~thief"   = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7_thief"
    ".rig7"        = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ._rig7"
    "~thief"       = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ._thief"
    "a rig 7/8 %2" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a_rig_7_8__2"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect { params = [each.value, "x"] }
  }
}

test "the policy chooses one" {
  proxy = proxy.shared

  request "mining.authorize" {
    params = ["rig7~thief", "secret"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7_thief~landlord", "x"]
      rules  = ["to_address", "modifier"]
    }
  }
}

test "it takes the place of the miner's" {
  proxy = proxy.own_addresses

  request "mining.authorize" {
    params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7~thief", "secret"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7~landlord", "secret"] }
  }
}
