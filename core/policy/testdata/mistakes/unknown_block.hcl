include = ["base/base.hcl"]

pol "x" {}
drain_timeot = "5s"
poxy "x" {}
variabel "x" {}
zzz {}
pool = 1
