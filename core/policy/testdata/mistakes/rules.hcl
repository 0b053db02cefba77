include = ["base/base.hcl"]

proxy "a" {
  pool = pool.main
  listener "tcp" { address = ":4441" }

  connect "c" {
    set { user = "'x'" }
  }
  response "mining.authorize" "r" {
    deny {}
    on_error = "deny"
  }
  request "mining.authorize" "two" {
    deny {}
    drop {}
  }
  request "mining.authorize" "sets" {
    set { user = "'x'" }
    set { password = "'x'" }
  }
  request "mining.authorize" "none" {
    set {}
  }
  request "min*ing" "method" {
    drop {}
  }
  request "mining.submit" "on_error" {
    on_error = "denny"
    drop {}
  }
  request "mining.submit" "code" {
    deny {
      code    = 1.5
      message = "two\nlines"
      reason  = "x"
    }
  }
  request "mining.submit" "long" {
    deny { message = join("", [for i in range(201) : "x"]) }
  }
  request "mining.authorize" "late" {
    route { pool = pool.main }
  }
  request "mining.subscribe" "where" {
    route {}
  }
  request "mining.submit" "label" "extra" {
    drop {}
  }
  request "mining.submit" "empty" {
    when = ""
    wenn = "true"
    stop = "yes"
    drop { a = 1 }
  }
}
