# Miners connect to :3333 under any name; the pool sees them as workers of one wallet.
variable "wallet" { default = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ" }

pool "lab" {
  server "here" { address = "stratum+tcp://127.0.0.1:13333" }
}

proxy "quickstart" {
  pool = pool.lab
  listener "tcp" { address = "127.0.0.1:3333" }

  request "mining.subscribe" "only_agent" {
    set { params = "params[:1]" }
  }
  request "mining.authorize" "to_wallet" {
    set { user = "var.wallet + '.' + replace(user, '.', '_')" }
  }
}
