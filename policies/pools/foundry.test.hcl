include = ["foundry.hcl"]

pool "foundry" {
  server "main" { address = "stratum+tcp://btc.foundryusapool.com:3333" }
}

proxy "farm" {
  pool = pool.foundry
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.foundry_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"   = "myfarm.johnxtest"
    "myfarm.rig7" = "myfarm.rig7"
    "rig_7"       = "myfarm.rigx7"
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
