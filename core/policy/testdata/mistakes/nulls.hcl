include = ["base/base.hcl"]

variable "n" {
  type    = number
  default = null
}
variable "s" {
  type    = string
  default = null
}
variable "checked" {
  type    = number
  default = null
  validation {
    condition     = var.checked > 3
    error_message = "It is three at most."
  }
  validation {
    condition     = var.checked == null || var.checked > 3
    error_message = "It is three at most."
  }
  validation {
    condition     = 5 + tonumber(null) > 3
    error_message = "Never."
  }
}
variable "above" { default = 1 / 0 }
variable "below" { default = [{ x = -1 / 0 }] }
variable "neither" { default = 0 / 0 }
locals {
  zero = 5 / (var.above == null ? 1 : 0)
}

proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  request "mining.authorize" "compared" {
    when = "len(user) > var.n"
    set { user = "upper(var.s)" }
  }
  request "mining.authorize" "joined" {
    when = "len(user) > -var.n"
    set { user = "user + var.s" }
  }
  request "mining.authorize" "alone" {
    set { user = "var.s" }
  }
  request "mining.authorize" "another_mistake" {
    when = "var.n == nil and user > 5"
    set { user = "params[0]" }
  }
  request "mining.authorize" "well" {
    when = "len(user) > (var.n ?? 0) and var.n == nil"
    set { user = "user + (var.s ?? 'x')" }
  }
  request "mining.authorize" {
    drop {}
  }
  connect "a" "b" {
    deny {}
  }
}

pool {}
