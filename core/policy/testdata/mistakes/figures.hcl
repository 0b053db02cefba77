# Figures and the time in conditions, and routes by user.
variable "fallback" { default = "pool.rental.eu" }

pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

pool "rental" {
  for_each = { eu = "eu.example", us = "us.example" }
  server "a" { address = "stratum+tcp://${each.value}:3333" }
}

ruleset "by_user" {
  variable "team" { default = "x" }
  request "mining.authorize" "team" {
    when = "user startsWith var.team"
    route { pool = pool.rental["eu"] }
  }
}

proxy "a" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "by_user" {}

  connect "late" {
    when = "clock.hours >= 22"
    route { pool = pool.rental["us"] }
  }
  connect "daytime" {
    when = "clock.weekday in ['sat', 'sun']"
    route { pool = pool.rental["us"] }
  }
  request "mining.subscribe" "down" {
    when = "not upstream('pool.mian').up"
    route { pool = pool.rental["us"] }
  }
  request "mining.subscribe" "reference" {
    when = "not upstream(pool.rental.eu).up"
    route { pool = pool.rental["us"] }
  }
  request "mining.subscribe" "variable" {
    when = "not upstream(var.fallback).up"
    route { pool = pool.rental["us"] }
  }
  request "mining.subscribe" "no_figure" {
    when = "upstream('pool.rental[\"eu\"]').rejects > 5"
    route { pool = pool.rental["us"] }
  }
  request "mining.subscribe" "all_figures" {
    when = "upstream > 5"
    route { pool = pool.rental["us"] }
  }
  connect "too_early" {
    when = "stats.hashrate > 1e12"
    route { pool = pool.rental["us"] }
  }
  request "mining.submit" "too_late" {
    when = "stats.hashrate > 1e12"
    route { pool = pool.rental["us"] }
  }
}
