include = ["base/base.hcl"]

pol "x" {}
drain_timeot = "5s"
