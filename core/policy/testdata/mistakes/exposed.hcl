include = ["base/base.hcl"]

variable "secret" {
  default   = "stratum+tcp://hunter2.example:3333"
  sensitive = true
}
variable "port" {
  default   = ":9464"
  sensitive = true
}
locals {
  derived = "of ${var.secret}"
}
ruleset "r" {
  variable "text" {
    type      = string
    sensitive = true
  }
  response "mining.authorize" "refused" {
    when = "not ok"
    set { error = "[24, var.text, nil]" }
  }
}

admin { address = replace(var.port, "64", "65") }

pool "x" {
  server "a" { address = var.secret }
}

proxy "x" {
  for_each = { a = var.port, b = ":4445" }
  pool     = pool.x
  listener "tcp" { address = each.value }
  use "r" { text = "hunter3" }

  request "mining.subscribe" "agent" {
    set { agent = "var.secret" }
  }
  request "mining.authorize" "good" {
    when = "user != var.secret"
    set {
      user     = "password == var.secret ? user : sha256(user + local.derived)"
      password = "var.secret"
    }
  }
  request "mining.authorize" "names" {
    set {
      user = "user + '.' + local.derived"
    }
  }
  request "mining.authorize" "all" {
    set { params = "[user, var.secret]" }
  }
  request "mining.get_transactions" "answer" {
    reply {
      result = "[var.secret]"
      error  = "nil"
    }
  }
  request "mining.configure" "told" {
    when = "len(params) > 2"
    deny {
      code    = 20
      message = "not ${local.derived}"
    }
  }
  request "mining.authorize" "seen_later" {
    set { user = "user + '.' + password" }
  }
  request "mining.authorize" "by_place" {
    set { params = "[params[0] + '.' + params[1], params[1]]" }
  }
  request "mining.authorize" "compared" {
    set { user = "password == 'x' ? user : lower(user)" }
  }
  request "mining.authorize" "kept" {
    set { password = "password + 'x'" }
  }
}

proxy "y" {
  pool = pool.main
  listener "tcp" { address = ":4446" }

  request "mining.authorize" "option" {
    set { user = "user + '.' + option(password, 'w')" }
  }
}
