include = ["none/*.hcl", "base/base.hcl", var.x, "../farm/*.test.hcl", "[", "include.hcl", "base/*", "base"]
