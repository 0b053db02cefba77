test "types" {
  proxy = proxy.main
  request "mining.submit" {
    expect {
      verdit    = "deny"
      verdict   = "denied"
      code      = 1.5
      message   = ["x"]
      pool      = "pool.main"
      user      = 5
      unchanged = "yes"
      audit     = ["shares", "deny", "sessions"]
      rules     = "known"
      line      = "a\nb"
    }
  }
}

test "kinds" {
  proxy = proxy.main
  connect {
    expect {
      params  = []
      verdict = "reply"
    }
  }
  response "mining.submit" {
    result = true
    expect {
      params  = []
      code    = 24
      verdict = "deny"
    }
  }
  notification "mining.notify" {
    expect {
      result  = true
      message = "no"
    }
  }
}

test "verdicts" {
  proxy = proxy.main
  request "mining.submit" {
    expect {
      code    = 24
      verdict = "drop"
    }
  }
  request "mining.submit" {
    expect {
      code   = 24
      params = []
    }
  }
  request "mining.submit" {
    expect { result = true }
  }
  request "mining.submit" {
    expect {
      error = [24, "no", null]
      code  = 24
    }
  }
  request "mining.submit" {
    expect {
      verdict   = "reply"
      result    = true
      unchanged = true
    }
  }
  response "mining.submit" {
    expect {
      verdict = "drop"
      error   = null
    }
  }
  request "mining.submit" {
    expect {
      unchanged = true
      params    = []
    }
  }
}

test "rules" {
  proxy = proxy.main
  request "mining.subscribe" {
    params = []
    expect {
      rules  = ["trin", "paid", "ruleset.house.request.trim", "known"]
      failed = ["proxy.main.request.trim"]
    }
  }
}
