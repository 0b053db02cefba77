include = ["base/base.hcl"]

variable "pin" { default = "hunter2" sensitive = true }

ruleset "r" {
  variable "note" {}
  variable "other" {}
  request "mining.authorize" "x" {
    set { password = "var.note + var.other" }
  }
}

proxy "y" { pool = pool.main listener "tcp" { address = ":4442" } request "mining.authorize" "a" { deny { kode = 5 } } }

proxy "z" {
  pool = pool.main
  listener "tcp" { address = ":4443" }
  use "r" { note = "x" other = 1 }
}
