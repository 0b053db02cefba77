include = ["base/base.hcl"]

proxy "a" {
  pool = pool.main
  listener "tcp" { address = ":4441" }

  request "mining.authorize" "a" {
    when = "user matches '^\d+$'"
    set {
      user     = "var.wallet + "." + user"
      password = "user + "-" + password"
    }
  }
  request "mining.authorize" "b" {
    when = user matches "^a" # every a
    set { user = 'x' }
  }
  request "mining.authorize" "c" {
    when = "${user == "x"}"
    set { user = "${user}.${password}'" }
  }
  request "mining.authorize" "d" {
    when = ["user"]
    set {
      user = lower(
        user,
      )
    }
  }
  request "mining.authorize" "e" {
    when = <<-EXPR
      user == "${user}"
    EXPR
    set { user = "user == "x" ? 'a' : 'b'" }
  }
  request "mining.authorize" "f" {
    when = "user matches "^a""
    set { user = params[0]?.x }
  }
  response "mining.authorize" "g" {
    set { error = "x }
  }
}

proxy "b" {
  pool = pool.main
  listener "tcp" { address = ":4442" }

  request "mining.authorize" "a" {
    when = "user matches '^\\d+$'"
    set { user = "usr" }
  }
  request "mining.authorize" "b" {
    when = "${user}"
    set { user = "usr" }
  }
  request "mining.authorize" "c" {
    when = "len(user)"
    set { user = "len(user)" }
  }
  request "mining.authorize" "d" {
    when = "1 +"
    set { usr = "'x'" }
  }
}

proxy "c" {
  pool = pool.main
  listener "tcp" { address = ":4443" }

  notification "mining.set_difficulty" "a" {
    when = "${difficulty} < 5"
    set { difficulty = "5" }
  }
  notification "mining.set_difficulty" "b" {
    when = "dificulty < 5"
    set { difficulty = "5" }
  }
}
