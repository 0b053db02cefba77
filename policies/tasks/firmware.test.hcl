include = ["firmware.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "agent_only" {}
  use "padded_shares" {}
  use "clean_names" {}
  use "some_password" {}
  use "plain_suggestions" {}
}

test "a session of another pool is not offered" {
  request "mining.subscribe" {
    params = ["whatsminer/v1.0", "6a1f8f"]
    expect {
      params = ["whatsminer/v1.0"]
      rules  = ["agent_only"]
    }
  }
}

test "what has no session stays as it is" {
  for_each = {
    none     = []
    agent    = ["cgminer/4.11.1"]
    nicehash = ["NiceHash/1.0.0", "1700000000000", "9f86d081884c7d65"]
  }

  request "mining.subscribe" {
    params = each.value
    expect {
      rules     = []
      unchanged = true
    }
  }
}

test "zeros that were left away come back" {
  request "mining.authorize" {
    params = ["nerd", "x"]
    expect { unchanged = true }
  }
  request "mining.submit" {
    params = ["nerd", "6a1f", "0000000000000001", "65f1a2b3", "9a8b7c"]
    expect {
      params = ["nerd", "6a1f", "0000000000000001", "65f1a2b3", "009a8b7c"]
      rules  = ["short_nonce"]
    }
  }
  request "mining.submit" {
    params = ["nerd", "6a1f", "0000000000000001", "f1a2b3", "1", "6000"]
    expect {
      params = ["nerd", "6a1f", "0000000000000001", "00f1a2b3", "00000001", "00006000"]
      rules  = ["short_nonce", "short_ntime", "short_version_bits"]
    }
  }
  request "mining.submit" {
    params = ["nerd", "6a1f", "0000000000000001", "65f1a2b3", "9a8b7c6d", "00006000"]
    expect { unchanged = true }
  }
}

test "names are put right" {
  for_each = {
    "myfarm.rig%2D7" = "myfarm.rig-7"
    "a%2eb%5fc%25"   = "a.b_c%"
    "100%"           = "100%"
    "%zz"            = "%zz"
    " rig7\t"        = "rig7"
    "%20rig7"        = "rig7"
  }

  request "mining.authorize" {
    params = [each.key, "x"]
    expect { params = [each.value, "x"] }
  }
}

test "a password where there is none" {
  for_each = {
    missing = ["rig7"]
    empty   = ["rig7", ""]
    blank   = ["rig7", " "]
  }

  request "mining.authorize" {
    params = each.value
    expect {
      params = ["rig7", "x"]
      rules  = ["no_password"]
    }
  }
}

test "a difficulty is a number" {
  request "mining.suggest_difficulty" {
    params = ["0.500000"]
    expect {
      params = [0.5]
      rules  = ["number_in_quotes"]
    }
  }
  request "mining.suggest_difficulty" {
    params = [1000]
    expect { unchanged = true }
  }
}
