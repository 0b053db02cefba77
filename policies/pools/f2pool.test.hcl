include = ["f2pool.hcl"]

pool "f2pool" {
  server "main" { address = "stratum+tcp://btc.f2pool.com:1314" }
}

proxy "farm" {
  pool = pool.f2pool
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.f2pool_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"             = "myfarm.johnxtest"
    "myfarm.Rig7"           = "myfarm.rig7"
    "10.1.2.3"              = "myfarm.10x1x2x3"
    "hall1-rack2-shelf3-12" = "myfarm.hall1xrack2xshe"
    ""                      = "myfarm.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
}
