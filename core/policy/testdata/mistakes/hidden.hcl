include = ["base/base.hcl"]

locals {
  closed = { a = true, b = false }
}

ruleset "closed" {
  variable "closed" { type = bool }
  variable "shut" { default = true }

  # In one of two proxies this shuts out what follows.
  connect "closed" {
    when = "var.closed"
    deny {}
  }
  connect "sometimes" {
    when = "client.ip == '10.0.0.1'"
    deny {}
  }

  # In both, but a variable may switch it off.
  request "mining.subscribe" "shut" {
    when = "var.shut"
    drop {}
  }
  request "mining.subscribe" "perhaps" {
    set { agent = "agent + 'x'" }
  }

  # In both.
  request "mining.s*" "all" {
    when = "true"
    drop {}
  }
  request "mining.submit" "never" {
    set { user = "user + 'x'" }
  }
}

proxy "x" {
  for_each = local.closed
  pool     = pool.main
  listener "tcp" { address = each.value ? ":4441" : ":4442" }

  notification "client.reconnect" "stay" {
    drop {}
  }
  use "closed" { closed = each.value }
  notification "client.reconnect" "never" {
    when = "host == 'x'"
    drop {}
  }
  request "*" "none" {
    deny {}
  }
  request "mining.authorize" "neither" {
    set { user = "user" }
  }
}
