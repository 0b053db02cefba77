include = ["moves.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

pool "night" {
  server "eu" { address = "stratum+tcp://night.example:3333" }
}

pool "backup" {
  server "eu" { address = "stratum+tcp://backup.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "night_pool" {
    pool = pool.night
    from = 22
    to   = 6
    days = [6, 7]
  }
  use "avoid_rejects" {
    pool = pool.backup
  }
}

proxy "noon" {
  pool = pool.main
  listener "tcp" { address = ":3334" }

  use "night_pool" {
    pool = pool.night
    from = 11
    to   = 14
  }
}

test "miners go to the pool of the hour" {
  proxy = proxy.farm
  for_each = {
    "2026-03-02T21:59:59+01:00" = pool.main
    "2026-03-02T22:00:00+01:00" = pool.night
    "2026-03-03T00:30:00+01:00" = pool.night
    "2026-03-03T05:59:59+01:00" = pool.night
    "2026-03-03T06:00:00+01:00" = pool.main
    "2026-03-07T12:00:00+01:00" = pool.night
    "2026-03-08T12:00:00+01:00" = pool.night
  }
  clock = each.key

  connect {
    expect { pool = each.value }
  }
}

test "a window within a day" {
  proxy = proxy.noon
  for_each = {
    "2026-03-02T10:59:00Z" = pool.main
    "2026-03-02T11:00:00Z" = pool.night
    "2026-03-02T14:00:00Z" = pool.main
    "2026-03-07T18:00:00Z" = pool.main
  }
  clock = each.key

  connect {
    expect { pool = each.value }
  }
}

test "miners move while they are mining" {
  proxy = proxy.farm
  clock = "2026-03-02T21:00:00+01:00"

  request "mining.subscribe" {
    params = ["bmminer/2.0.0"]
    expect { pool = pool.main }
  }
  notification "mining.set_difficulty" {
    after  = "50m"
    params = [65536]
    expect { pool = pool.main }
  }
  notification "mining.set_difficulty" {
    after  = "15m"
    params = [65536]
    expect { pool = pool.night }
  }
  notification "mining.set_difficulty" {
    after  = "8h"
    params = [65536]
    expect { pool = pool.main }
  }
}

test "not to a pool that is down" {
  proxy = proxy.farm
  clock = "2026-03-02T23:00:00+01:00"
  upstream {
    pool = pool.night
    up   = false
  }

  request "mining.subscribe" {
    params = ["bmminer/2.0.0"]
    expect { pool = pool.main }
  }
  notification "mining.set_difficulty" {
    upstream {
      pool = pool.night
      up   = true
    }
    params = [65536]
    expect { pool = pool.night }
  }
}

test "miners leave above 5 % of rejects and come back below 2 %" {
  proxy = proxy.farm
  clock = "2026-03-02T12:00:00+01:00"
  upstream { reject_rate = 0.04 }

  request "mining.subscribe" {
    params = ["bmminer/2.0.0"]
    expect {
      pool  = pool.main
      rules = []
    }
  }
  notification "mining.set_difficulty" {
    upstream { reject_rate = 0.06 }
    params = [65536]
    expect { pool = pool.backup }
  }
  notification "mining.set_difficulty" {
    upstream { reject_rate = 0.03 }
    params = [65536]
    expect { pool = pool.backup }
  }
  notification "mining.set_difficulty" {
    upstream { reject_rate = 0.01 }
    params = [65536]
    expect { pool = pool.main }
  }
  notification "mining.set_difficulty" {
    upstream { reject_rate = 0.03 }
    params = [65536]
    expect { pool = pool.main }
  }
}

test "new miners are spared" {
  proxy = proxy.farm
  clock = "2026-03-02T12:00:00+01:00"
  upstream { reject_rate = 0.06 }

  request "mining.subscribe" {
    params = ["bmminer/2.0.0"]
    expect {
      pool  = pool.backup
      rules = ["rejects"]
    }
  }
}
