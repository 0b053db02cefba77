test "a list" {
  for_each = ["a", "b"]
  proxy    = proxy.main
  connect {}
}

test "a number" {
  for_each = 5
  proxy    = proxy.main
  connect {}
}

test "sensitive" {
  for_each = toset([var.pool_password])
  proxy    = proxy.main
  connect {}
}

test "a name that there is not" {
  for_each = local.nmaes
  proxy    = proxy.main
  connect {}
}

test "none" {
  for_each = {}
  proxy    = proxy.main
  connect {}
}

test "too many" {
  for_each = { for n in flatten([for i in range(101) : [for j in range(100) : "${i} ${j}"]]) : n => n }
  proxy    = proxy.main
  connect {}
}
