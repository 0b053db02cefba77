# loka run --config . --var-file sites/ckpool.vars.hcl
pools = {
  ckpool = {
    port    = 3334
    servers = ["stratum+tcp://solo.ckpool.org:3333", "stratum+tcp://eusolo.ckpool.org:3333"]
  }
}
