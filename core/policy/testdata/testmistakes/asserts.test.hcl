test "asserts" {
  proxy = proxy.main
  request "mining.authorize" {
    params = ["john.test", "x"]
    assert {
      condition     = "usr == 'x'"
      error_message = "no"
    }
    assert {
      condition     = user == "x"
      error_message = "no"
    }
    assert {
      condition     = "user == "x""
      error_message = "no"
    }
    assert {
      condition     = "user == '${var.wallet}'"
      error_message = "no"
    }
    assert {
      condition     = "user"
      error_message = ""
    }
    assert {
      condition = "user == var.wallett"
    }
    assert {
      error_message = "no"
    }
    assert "x" {
      condition     = "true"
      error_message = "no"
    }
    expect {
      assert {}
    }
  }
}
