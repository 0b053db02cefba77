include = ["none.hcl"]

test "of nothing" {
  connect {}
}
