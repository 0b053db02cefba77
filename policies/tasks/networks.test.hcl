include = ["networks.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "block_networks" {
    networks = ["10.66.0.0/16"]
  }
  use "allow_networks" {
    networks = ["10.0.0.0/8", "fd00::/8"]
  }
}

test "ours come in" {
  for_each = toset(["10.1.2.3", "fd00::7"])
  client { ip = each.value }

  connect {
    expect { rules = [] }
  }
}

test "others do not" {
  for_each = {
    "10.66.1.1"    = "blocked"
    "203.0.113.7"  = "not_allowed"
    "2001:db8::7"  = "not_allowed"
    "192.168.1.20" = "not_allowed"
  }
  client { ip = each.key }

  connect {
    expect {
      verdict = "deny"
      rules   = [each.value]
    }
  }
}
