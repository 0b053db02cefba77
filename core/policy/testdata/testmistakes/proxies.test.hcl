test "left out" {
  connect {}
}

test "a typo" {
  proxy = proxy.mian
  connect {}
}

test "a typo in a key" {
  proxy = proxy.site["c"]
  connect {}
}

test "an instance not named" {
  proxy = proxy.site
  connect {}
}

test "in quotes" {
  proxy = "main"
  connect {}
}

test "a pool" {
  proxy = pool.main
  connect {}
}

test "a pool that there is not" {
  proxy = proxy.main
  request "mining.submit" {
    params = ["x"]
    expect { pool = pool.mian }
  }
}

test "a key of a for_each" {
  for_each = toset(["a", "z"])
  proxy    = proxy.site[each.key]
  connect {}
}

test "each without for_each" {
  proxy = proxy.site[each.key]
  connect {}
}
