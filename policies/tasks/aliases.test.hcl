include = ["aliases.hcl", "../pools/antpool.hcl"]

locals {
  aliases = { for row in csvdecode(file("aliases.csv")) : row.from => row.worker }
}

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "aliases" {
    account = "myfarm"
    aliases = local.aliases
  }
}

proxy "strict" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "aliases" {
    account = "myfarm"
    aliases = local.aliases
    strict  = true
  }
}

# One whose pool takes letters and digits only.
proxy "antpool" {
  pool = pool.main
  listener "tcp" { address = ":3335" }

  use "aliases" {
    account = "myfarm"
    aliases = local.aliases
  }
  use "account_worker" {
    account = "myfarm"
    names   = local.antpool_names
  }
}

test "what is used behind it has its say" {
  for_each = { "john.test" = "myfarm.hall1x07", "stranger" = "myfarm.stranger" }
  proxy    = proxy.antpool

  request "mining.authorize" {
    params = [each.key, "secret"]
    expect { params = [each.value, "x"] }
  }
}

test "by name" {
  for_each = toset(["farm", "strict"])
  proxy    = each.value == "farm" ? proxy.farm : proxy.strict

  request "mining.authorize" {
    params = ["john.test", "x"]
    expect {
      params = ["myfarm.hall1-07", "x"]
      rules  = ["by_alias"]
    }
  }
}

test "by address" {
  proxy = proxy.strict
  client { ip = "10.1.2.4" }

  request "mining.authorize" {
    params = ["root", "x"]
    expect { params = ["myfarm.hall2-02", "x"] }
  }
}

test "the name counts before the address" {
  proxy = proxy.strict
  client { ip = "10.1.2.4" }

  request "mining.authorize" {
    params = ["antminer", "x"]
    expect { params = ["myfarm.hall1-08", "x"] }
  }
}

test "who is not in the table keeps its name" {
  proxy = proxy.farm

  request "mining.authorize" {
    params = ["stranger", "x"]
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "or is refused" {
  proxy = proxy.strict

  request "mining.authorize" {
    params = ["stranger", "x"]
    expect {
      verdict = "deny"
      code    = 24
      rules   = ["stranger"]
    }
  }
}
