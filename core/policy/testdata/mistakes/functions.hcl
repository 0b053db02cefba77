include = ["base/base.hcl"]

variable "home" { default = env("HOME") }
locals {
  a = env("HOME")
  b = file("none.txt")
  c = uper("x")
  d = regex("(", "x")
  e = upper(["x"])
  f = var.home.x
  g = element("x", 1)
  h = length(5)
}
