include = ["base/base.hcl"]

pool "x" {
  server "a" {
    address         = "stratum+tcp://a.example:3333"
    tls_server_name = "b.example"
  }
  server "b" {
    address     = "stratum+ssl://b.example:3333"
    tls_ca_file = "none.pem"
  }
  server "c" {
    address     = "stratum+ssl://c.example:3333"
    tls_ca_file = "tls.hcl"
  }
  server "d" {
    address                  = "stratum+ssl://c.example:3333"
    tls_insecure_skip_verify = "yes"
  }
}
