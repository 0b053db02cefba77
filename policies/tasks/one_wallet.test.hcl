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
    "rig7~m"    = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7_m"
    " a b,c/ü"  = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ._a_b_c__"
    ".rig7"     = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ._rig7"
    ""          = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"

    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ."       = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ~m"      = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ_m"
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7~m" = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rig7_m"
    "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a.b"    = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.a_b"

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
      rules     = ["to_wallet"]
      unchanged = true
    }
  }
}
