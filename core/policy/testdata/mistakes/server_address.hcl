include = ["base/base.hcl"]

pool "x" {
  server "a" { address = "a.example:3333" }
  server "b" { address = "stratum+tpc://b.example:3333" }
  server "c" { address = "stratum+tcp://c.example" }
  server "d" { address = "stratum+tcp://me:secret@d.example:3333" }
  server "e" { address = "stratum+tcp://e.example:3333/path" }
  server "f" { address = "stratum+tcp://2001:db8::1:3333" }
  server "g" { address = "stratum+tcp://g.example:70000" }
  server "h" { address = "stratum+tcp://:3333" }
  server "i" { address = "" }
  server "j" { address = 5 }
  server "k" { address = "stratum+tcp://[2001:db8::1]" }
  server "l" {}
}
pool "none" {}
