include = ["base/base.hcl"]

variable "nobody" { default = 1 }
variable "validated" {
  default = "x"
  validation {
    condition     = var.validated != var.limit
    error_message = "too much"
  }
}
variable "limit" { default = "y" }
variable "in_rule" { default = "z" }
variable "in_idle" { default = "z" }

locals {
  nobody  = [var.in_rule]
  in_rule = "z"
  keys    = toset(["a", "b", "c", "d", "e", "f", "g", "h"])
  rental  = pool.rental
}

# Two of its pools are used: the one by a proxy, the other by a route.
pool "site" {
  for_each = local.keys
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}
pool "rental" {
  server "a" { address = "stratum+tcp://rental.example:3333" }
}
pool "nobody" {
  server "a" { address = "stratum+tcp://nobody.example:3333" }
}
pool "named_by_idle" {
  server "a" { address = "stratum+tcp://idle.example:3333" }
}
pool "routed_by_idle" {
  server "a" { address = "stratum+tcp://idle.example:3333" }
}
pool "without_instances" {
  for_each = toset([])
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}

ruleset "nobody" {
  request "mining.submit" "x" {
    drop {}
  }
}
ruleset "idle" {
  connect "x" {
    when = "client.ip == '10.0.0.1'"
    route { pool = pool.routed_by_idle }
  }
}
ruleset "used" {
  variable "target" { type = any }
  variable "text" {
    default = "no"
    validation {
      condition     = strlen(var.text) > 1
      error_message = "too short"
    }
  }
  variable "nobody" {
    default = "x"
    validation {
      condition     = strlen(var.nobody) > 0
      error_message = "empty"
    }
  }
  connect "x" {
    when = "client.ip == '10.0.0.1'"
    route { pool = var.target }
  }
  connect "y" {
    when = "client.ip == '10.0.0.2'"
    deny { message = var.text }
  }
}

proxy "x" {
  pool = pool.site["a"]
  listener "tcp" { address = ":4441" }
  use "used" {
    target = pool.site["b"]
  }
  request "mining.authorize" "x" {
    set { user = "var.in_rule + local.in_rule" }
  }
}
proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":4442" }
  connect "x" {
    when = "client.ip == '10.0.0.1'"
    route { pool = local.rental }
  }
}
proxy "idle" {
  for_each = toset([])
  pool     = pool.named_by_idle
  listener "tcp" { address = ":4443" }
  use "idle" {}
  request "mining.authorize" "x" {
    set { user = "var.in_idle + user" }
  }
}
