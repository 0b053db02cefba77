test "steps" {
  proxy = proxy.main

  request "mining.sumbit" {
    params = ["x"]
  }
  request "mining.notify" {
    params = []
  }
  notification "mining.submit" {
    params = []
  }
  request "mining.*" {
    params = []
  }
  request "mining submit" {
    params = []
  }
  connect {
    params = []
  }
  request "mining.submit" {
    result  = true
    parms   = []
    line    = "{}"
    params  = []
    after   = "soon"
    verdict = "deny"
  }
  response "mining.submit" {
    result = true
    line   = "{}"
    after  = "0s"
  }
  notification "mining.set_difficulty" {
    line = "one\ntwo"
  }
  notification "mining.set_difficulty" {
    line = ""
  }
  notification "mining.set_difficulty" {
    params = [1e400]
  }
  request "mining.submit" {
    params = [nothing.here, var.wallett, local.nmaes]
  }
  request "mining.submit" {
    expect {}
    expect {}
  }
}
