include = "base/base.hcl"
