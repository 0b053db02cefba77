include = ["one_wallet.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "one_wallet" {
    wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
  }
}

test "names become workers" {
  for_each = {
    "john.test" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
    "rig7"      = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7"
    ""          = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ."

    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQx.rig7" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQx_rig7"
  }

  request "mining.authorize" {
    params = [each.key, "x"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_wallet"]
    }
  }
}

test "what is a worker already stays" {
  for_each = toset(["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7"])

  request "mining.authorize" {
    params = [each.value, "x"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}
