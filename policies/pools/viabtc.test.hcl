include = ["viabtc.hcl"]

pool "viabtc" {
  server "main" { address = "stratum+tcp://btc.viabtc.io:3333" }
}

proxy "farm" {
  pool = pool.viabtc
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.viabtc_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"  = "myfarm.johnxtest"
    "myfarm.001" = "myfarm.001"
    "rig_7"      = "myfarm.rigx7"
    ""           = "myfarm.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
}
