ruleset "r" {
  request "mining.submit" "x" {
    when = "usr == 'x'"
    drop {}
  }
}

pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

proxy "main" {
  pool = pool.mian
  listener "tcp" { address = ":3333" }
  use "r" {}
}

test "with mistakes of its own" {
  request "mining.submit" {
    expect { rules = ["y"] }
  }
}
