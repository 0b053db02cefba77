# One proxy per pool, all of them from one template.
#
#   pools.hcl       the map of pools: one entry is one pool and one proxy
#   rules.hcl       what every proxy does with names
#   loka.hcl        the template: this file
#   loka.test.hcl   its tests: for each pool of the map, and for a map of their own
#   sites/          maps of one pool each, for one process per pool
#
# Copy the folder, write your pools into pools.hcl and your address into a file
# wallet.auto.vars.hcl beside it:
#
#   wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#
# Then, with one process for all pools:
#
#   loka validate .
#   loka rules test .
#   loka run --config .
#
# or with one process per pool, each of which can be stopped, moved and given limits by
# itself:
#
#   loka rules test . --var-file sites/braiins.vars.hcl
#   loka run --config . --var-file sites/braiins.vars.hcl
#   loka run --config . --var-file sites/ckpool.vars.hcl
#
# A miner chooses its pool by the port that it connects to.

variable "wallet" {
  type        = string
  description = "the address that is paid, at pools where the account is an address"

  validation {
    condition     = can(regex("^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})$", var.wallet))
    error_message = "This does not look like a Bitcoin address (bc1…, 1… or 3…)."
  }
}

pool "site" {
  for_each = var.pools

  dynamic "server" {
    for_each = each.value.servers
    labels   = [server.value]
    content {
      address = server.value
    }
  }
}

proxy "site" {
  for_each = var.pools
  pool     = pool.site[each.key]

  listener "tcp" {
    address = ":${each.value.port}"
  }

  use "site" {
    account = coalesce(each.value.account, var.wallet)
    filler  = each.value.filler
  }
}
