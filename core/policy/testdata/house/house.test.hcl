# loka rules test: each step is one message; the steps of a test are one session.

test "john.test mines to the house wallet" {
  proxy = proxy.site["braiins"]

  client {
    ip    = "10.1.2.3"
    agent = "cpuminer/2.5.1"
  }

  request "mining.subscribe" {
    params = ["cpuminer/2.5.1", "1"]
    expect {
      params = ["cpuminer/2.5.1"]
      rules  = ["trim_session"]
    }
  }

  request "mining.authorize" {
    params = ["john.test", "secret"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test", "x"]
      pool   = pool.site["braiins"]
    }
  }

  # the mapped name holds for the shares that follow
  request "mining.submit" {
    params = ["john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect {
      params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    }
  }
}

test "names that are not names are refused" {
  for_each = toset(["", "a b", "x'; drop", "Ünal"])
  proxy    = proxy.site["ckpool"]

  request "mining.authorize" {
    params = [each.value, "x"]
    expect {
      verdict = "deny"
      code    = 24
    }
  }
}

test "the rented rack goes to the rental pool" {
  proxy = proxy.site["braiins"]
  client { ip = "10.9.0.7" }

  request "mining.subscribe" {
    params = ["bmminer/2.0.0"]
    expect {
      pool      = pool.rental
      unchanged = true
    }
  }
}

test "difficulty has a floor" {
  proxy = proxy.site["braiins"]

  notification "mining.set_difficulty" {
    params = [16]
    expect { params = [1024] }
  }
  notification "mining.set_difficulty" {
    params = [65536]
    expect { unchanged = true }
  }
}

test "nobody sends our miners away" {
  proxy = proxy.site["braiins"]

  notification "client.reconnect" {
    params = ["evil.example", 3333, 0]
    expect { verdict = "drop" }
  }
}

test "a refused name says where" {
  proxy = proxy.site["braiins"]

  response "mining.authorize" {
    result = false
    expect {
      result = false
      error  = [24, "refused by pool.site[\"braiins\"]", null]
      rules  = ["say_where"]
    }
  }
}

test "suggested difficulty is answered here" {
  proxy = proxy.site["braiins"]

  request "mining.suggest_difficulty" {
    params = [512]
    expect {
      verdict = "reply"
      result  = true
    }
  }
}
