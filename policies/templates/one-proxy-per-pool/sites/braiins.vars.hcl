# loka run --config . --var-file sites/braiins.vars.hcl
pools = {
  braiins = {
    port    = 3333
    servers = ["stratum+tcp://stratum.braiins.com:3333"]
    account = "myfarm"
  }
}
