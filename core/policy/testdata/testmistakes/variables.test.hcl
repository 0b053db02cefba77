variables {
  walet = "37vuX2"
}

test "does not fit" {
  proxy = proxy.main
  variables {
    ports = "none"
  }
  connect {}
}

test "refused" {
  proxy = proxy.main
  variables {
    wallet = "x"
  }
  connect {}
}

test "refused as well" {
  proxy = proxy.main
  variables {
    wallet = "x"
  }
  connect {}
}

test "no constant" {
  proxy = proxy.main
  variables {
    wallet = local.names[0]
  }
  connect {}
}

test "a block" {
  proxy = proxy.main
  variables {
    wallet {}
  }
  connect {}
}

test "sensitive" {
  proxy = proxy.main
  variables {
    pool_pasword  = "hunter33"
    pool_password = tonumber("hunter44")
  }
  connect {}
}

test "each" {
  for_each = toset(["long enough", "no"])
  proxy    = proxy.main
  variables {
    wallet = each.key
  }
  connect {}
}
