test "broken" {
  proxy = proxy.main
  request "mining.submit" {
    params = ["x"
    expect { verdict = "deny" }
  }
}
