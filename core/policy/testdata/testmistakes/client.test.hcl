test "client and clock" {
  proxy = proxy.main
  clock = "2026-01-01"
  client {
    ip    = "10.1.2.3:4444"
    port  = 65536
    agent = true
    user  = "john"
  }
  connect {}
}

test "a network" {
  proxy = proxy.main
  clock = 5
  client { ip = "10.0.0.0/8" }
  connect {}
}
