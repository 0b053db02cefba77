include = ["no_extranonce.hcl"]

pool "solo" {
  server "main" { address = "stratum+tcp://solo.ckpool.org:3333" }
}

proxy "farm" {
  pool = pool.solo
  listener "tcp" { address = ":3333" }

  use "no_extranonce" {}
}

test "the miner is told at once" {
  request "mining.extranonce.subscribe" {
    params = []
    expect {
      verdict = "reply"
      result  = false
      error   = [20, "Not supported.", null]
      rules   = ["not_supported"]
    }
  }
}
