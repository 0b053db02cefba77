include = ["difficulty.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "difficulty_option" {
    difficulty = 65536
  }
}

proxy "minimum" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "difficulty_option" {
    difficulty = 65536
    option     = "md"
  }
}

proxy "solo" {
  pool = pool.main
  listener "tcp" { address = ":3335" }

  use "difficulty_suggestion" {
    least = 1024
  }
  use "difficulty_floor" {
    floor = 1024
  }
}

test "the pool is asked in the password" {
  proxy = proxy.farm
  for_each = {
    "x"           = "x,d=65536"
    ""            = "d=65536"
    "d=512"       = "d=65536"
    "m=solo;d=16" = "m=solo;d=65536"
    "md=8,x"      = "md=8,x,d=65536"
  }

  request "mining.authorize" {
    params = ["rig7", each.key]
    expect {
      params = ["rig7", each.value]
      rules  = ["difficulty_option"]
    }
  }
}

test "under another key" {
  proxy = proxy.minimum

  request "mining.authorize" {
    params = ["rig7", "d=512,md=8"]
    expect { params = ["rig7", "d=512,md=65536"] }
  }
}

test "low suggestions are raised" {
  proxy = proxy.solo

  request "mining.suggest_difficulty" {
    params = [0.00015]
    expect {
      params = [1024]
      rules  = ["suggest_more"]
    }
  }
  request "mining.suggest_difficulty" {
    params = ["0.500000"]
    expect { params = ["1024.0"] }
  }
  request "mining.suggest_difficulty" {
    params = [8192]
    expect { unchanged = true }
  }
}

test "difficulty has a floor" {
  proxy = proxy.solo

  notification "mining.set_difficulty" {
    params = [16]
    expect {
      params = [1024]
      rules  = ["floor"]
    }
  }
  notification "mining.set_difficulty" {
    params = [65536]
    expect {
      rules     = []
      unchanged = true
    }
  }
}
