# loka.hcl: one proxy per pool, all of them from one template.

variable "wallet" {
  type        = string
  description = "Payout address. Miners become its worker names."

  validation {
    condition     = can(regex("^(bc1[a-z0-9]{8,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34})$", var.wallet))
    error_message = "The wallet must be a Bitcoin address (bc1…, 1… or 3…)."
  }
}

variable "pool_password" {
  type      = string
  default   = "x"
  sensitive = true
}

locals {
  lan = ["10.0.0.0/8", "192.168.0.0/16"]

  # One entry per pool is one proxy. Servers are a list: failover goes in this order.
  sites = {
    braiins = {
      port = 3333
      servers = [
        { name = "eu", address = "stratum+tcp://eu.stratum.braiins.com:3333" },
        { name = "us", address = "stratum+tcp://us-east.stratum.braiins.com:3333" },
      ]
    }
    ckpool = {
      port = 3334
      servers = [
        { name = "main", address = "stratum+tcp://solo.ckpool.org:3333" },
      ]
    }
  }
}

# ---------------------------------------------------------------- upstream pools

pool "site" {
  for_each = local.sites

  strategy       = "failover"
  failback_after = "5m"

  dynamic "server" {
    for_each = each.value.servers
    labels   = [server.value.name]
    content {
      address = server.value.address
    }
  }

  health_check {
    interval = "10s"
    timeout  = "3s"
    failures = 3
  }
}

pool "rental" {
  strategy = "round_robin"

  server "a" { address = "stratum+ssl://a.rental.example:3443" }
  server "b" { address = "stratum+ssl://b.rental.example:3443" }
}

# ---------------------------------------------------------------- the template

proxy "site" {
  for_each = local.sites

  pool = pool.site[each.key]

  listener "tcp" {
    address         = ":${each.value.port}"
    max_connections = 20000
  }

  use "house" {
    wallet = var.wallet
    allow  = local.lan
  }

  request "mining.subscribe" "rental_rigs" {
    description = "The rented rack mines elsewhere."
    when        = "inCIDR(client.ip, ['10.9.0.0/16'])"
    route {
      pool = pool.rental
    }
  }

  audit {
    sinks  = [audit.file.main]
    events = ["authorize", "rewrite", "deny", "route"]
  }
}

# ---------------------------------------------------------------- shared rules

ruleset "house" {
  variable "wallet" {
    type        = string
    description = "the address that is paid"
  }
  variable "allow" {
    type        = list(string)
    default     = ["0.0.0.0/0", "::/0"]
    description = "networks that may connect"
  }
  variable "aliases" {
    type        = map(string)
    default     = {}
    description = "worker names to use instead of the miner's own"
  }
  variable "min_difficulty" {
    type    = number
    default = 1024
  }

  # Before the first byte.
  connect "known_networks" {
    when = "not inCIDR(client.ip, var.allow)"
    deny {}
  }

  # ["cpuminer/2.5.1", "1"]  ->  ["cpuminer/2.5.1"]
  request "mining.subscribe" "trim_session" {
    when = "len(params) > 1"
    set {
      params = "params[:1]"
    }
  }

  request "mining.authorize" "valid_name" {
    when = "not (user matches '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$')"
    deny {
      code    = 24
      message = "Unauthorized worker"
    }
  }

  # john.test  ->  37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test
  request "mining.authorize" "house_wallet" {
    when = "not (user startsWith var.wallet)"
    set {
      user     = <<-EXPR
        let name = lookup(var.aliases, user, user);
        var.wallet + "." + replace(name, ".", "_")
      EXPR
      password = "'x'"
    }
  }

  request "mining.suggest_difficulty" "keep_ours" {
    reply {
      result = "true"
    }
  }

  request "*" "known_methods" {
    when = "not (method startsWith 'mining.')"
    deny {
      code    = 20
      message = "Method not found"
    }
  }

  response "mining.authorize" "say_where" {
    when = "not ok"
    set {
      error = "[24, 'refused by ' + pool, nil]"
    }
  }

  notification "mining.set_difficulty" "floor" {
    when = "difficulty < var.min_difficulty"
    set {
      difficulty = "var.min_difficulty"
    }
  }

  # A pool (or whoever speaks for it) must not send our miners away.
  notification "client.reconnect" "stay" {
    drop {}
  }
}

# ---------------------------------------------------------------- what is kept

audit "file" "main" {
  path   = "/var/log/loka/audit.jsonl"
  mode   = "0640"
  redact = ["password"]
}

admin {
  address = "127.0.0.1:9464"
}
