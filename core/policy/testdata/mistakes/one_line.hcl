include = ["base/base.hcl"]

variable "pin" { default = "hunter2" sensitive = true }

proxy "x" {
  pool = pool.man
  listener "tcp" { address = ":4441", max_connections = 5.5 }
  request "mining.authorize" "a" { deny {} }
  request "mining.authorize" "b" { deny { code = -1 } }
  request "mining.authorize" "c" { when = "usr == 'x'" deny { message = "no" } } # and a comment
  request "mining.authorize" "d" { set { user = "usr" } stop = true }
  request "mining.authorize" "e" {
    set { user = "lower(user)" password = "usr" }
  }
  request "mining.authorize" "f" { set { user = "lower(user) + "x"" } }
  request "mining.authorize" "g" { set { user = lower(user) } }
  request "mining.authorize" "a" { drop {} }
}

proxy "y" { pool = pool.main listener "tcp" { address = ":4442" } request "mining.authorize" "a" { deny { kode = 5 } } }
