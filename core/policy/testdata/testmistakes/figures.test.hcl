include = ["loka.hcl"]

test "what is known" {
  proxy = proxy.main
  upstream {
    reject_rate = 5
    rejects     = 1
  }
  upstream {
    pool = pool.main
    up   = "yes"
  }
  upstream {
    pool     = pool.mian
    sessions = 1.5
  }
  stats {
    hashrate = -1
    accepted = "many"
  }
  stats {}

  request "mining.subscribe" {
    upstream { latency_ms = "80ms" }
    stats { pool = pool.main }
  }
}

test "nothing else" {
  proxy = proxy.main
  stats { accepted = 5 }
}
