include = ["antpool.hcl"]

pool "antpool" {
  server "main" { address = "stratum+tcp://ss.antpool.com:3333" }
}

proxy "farm" {
  pool = pool.antpool
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.antpool_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"   = "myfarm.johnxtest"
    "myfarm.rig7" = "myfarm.rig7"
    "10.1.2.3"    = "myfarm.10x1x2x3"
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
