include = ["worker_from_ip.hcl"]

pool "main" {
  server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  use "worker_from_ip" {
    account = "myfarm"
  }
}

test "the address is the name" {
  for_each = {
    "10.1.2.3"    = "myfarm.10x1x2x3"
    "2001:db8::7" = "myfarm.2001xdb8xx7"
  }
  client { ip = each.key }

  request "mining.authorize" {
    params = ["root", "x"]
    expect {
      params = [each.value, "x"]
      rules  = ["by_address"]
    }
  }
}
