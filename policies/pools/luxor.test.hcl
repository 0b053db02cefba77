include = ["luxor.hcl"]

pool "luxor" {
  server "main" { address = "stratum+tcp://btc.global.luxor.tech:700" }
}

proxy "farm" {
  pool = pool.luxor
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.luxor_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"   = "myfarm.john-test"
    "myfarm.rig7" = "myfarm.rig7"
    "rig_7"       = "myfarm.rig-7"
    ""            = "myfarm.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
}
