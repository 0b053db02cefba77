# Mistakes that come from what a use gives tell which use it is.
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

ruleset "names" {
  variable "length" { type = number }
  variable "codes" { default = { other = 20 } }
  variable "why" { default = "no" }

  request "mining.authorize" "long" {
    when = "user[:var.length] == 'x'"
    deny {
      code    = var.codes.other
      message = var.why
    }
  }
  request "mining.authorize" "of_a_map" {
    when = "len(user) > var.codes.first"
    drop {}
  }
  request "mining.authorize" "not_theirs" {
    when = "usr == 'x' or len(user) > var.length"
    set {
      user     = "user + 1"
      password = "string(var.length)"
    }
  }
}

ruleset "fixed" {
  request "mining.authorize" "own" {
    set { user = "usr" }
  }
}

proxy "first" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  use "fixed" {}
  use "names" {
    length = 4
    codes  = { first = 1, other = 20 }
  }
}

proxy "second" {
  pool = pool.main
  listener "tcp" { address = ":4442" }
  use "fixed" {}
  use "names" {
    length = 4.5
    codes  = { first = "one", other = 20.5 }
  }
}

proxy "third" {
  for_each = { a = 4443, b = 4444 }
  pool     = pool.main
  listener "tcp" { address = ":${each.value}" }
  use "names" {
    length = 4.5
    why    = " "
    codes  = { other = 20 }
  }
}
