include = ["braiins.hcl"]

pool "braiins" {
  server "main" { address = "stratum+tcp://stratum.braiins.com:3333" }
}

proxy "farm" {
  pool = pool.braiins
  listener "tcp" { address = ":3333" }

  use "account_worker" {
    account = "myfarm"
    names   = local.braiins_names
  }
}

test "names that the pool takes" {
  for_each = {
    "john.test"     = "myfarm.john_test"
    "myfarm.rig7"   = "myfarm.rig7"
    "a-b_c@d+e:f"   = "myfarm.a-b_c@d+e:f"
    "hall 1/rack 2" = "myfarm.hall_1_rack_2"
    "Ünal"          = "myfarm._nal"
    ""              = "myfarm.default"
  }

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect {
      params = [each.value, "x"]
      rules  = ["to_account"]
    }
  }
}
