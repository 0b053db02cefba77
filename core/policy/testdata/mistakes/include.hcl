include = ["none/*.hcl", "base/base.hcl", var.x, "../house/*.test.hcl", "[", "include.hcl", "base/*", "base"]
