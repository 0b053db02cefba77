//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manyProxies is a policy of 1,000 proxies of one template. Of the 14 expressions of its
// ruleset, four depend on the proxy.
const manyProxies = `
variable "wallet" { default = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ" }

locals {
  sites = { for i in range(1000) : "site${i}" => { port = 10000 + i, host = "pool${i}.example" } }
}

pool "site" {
  for_each = local.sites
  server "a" { address = "stratum+tcp://${each.value.host}:3333" }
}

proxy "site" {
  for_each = local.sites
  pool     = pool.site[each.key]
  listener "tcp" { address = ":${each.value.port}" }
  use "house" {
    wallet = var.wallet
    site   = each.key
    least  = 1024 + each.value.port
  }
}

ruleset "house" {
  variable "wallet" { type = string }
  variable "site" { type = string }
  variable "least" { type = number }
  variable "aliases" { default = { john = "jim" } }

  connect "known_networks" {
    when = "not inCIDR(client.ip, ['10.0.0.0/8', '192.168.0.0/16'])"
    deny {}
  }
  request "mining.subscribe" "trim_session" {
    when = "len(params) > 1"
    set { params = "params[:1]" }
  }
  request "mining.authorize" "valid_name" {
    when = "not (user matches '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$')"
    deny { code = 24 }
  }
  request "mining.authorize" "house_wallet" {
    when = "not (user startsWith var.wallet)"
    set {
      user     = "var.wallet + '.' + replace(lookup(var.aliases, user, user), '.', '_')"
      password = "withOption(password, 'site', var.site)"
    }
  }
  request "mining.suggest_difficulty" "keep_ours" {
    reply {
      result = "true"
      error  = "nil"
    }
  }
  request "*" "known_methods" {
    when = "not (method startsWith 'mining.')"
    deny {}
  }
  response "mining.authorize" "say_where" {
    when = "not ok"
    set { error = "[24, 'refused at ' + var.site, nil]" }
  }
  notification "mining.set_difficulty" "floor" {
    when = "difficulty < var.least"
    set { difficulty = "var.least" }
  }
  notification "client.reconnect" "stay" {
    drop {}
  }
}
`

// TestThousandProxies validates a large policy with a loka that is built as it is
// released: the race detector multiplies time and memory. What counts is the processor
// time, which a busy machine stretches least, the middle one of three; where nothing else
// runs, the time on the clock is less.
func TestThousandProxies(t *testing.T) {
	const most, mostKiB = 3 * time.Second, 500 << 10
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "loka"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "loka.hcl"), []byte(manyProxies), 0o600); err != nil {
		t.Fatal(err)
	}
	var spent []time.Duration
	for range 3 {
		cmd := exec.Command(filepath.Join(dir, "loka"), "validate", filepath.Join(dir, "loka.hcl"))
		began := time.Now()
		out, err := cmd.CombinedOutput()
		wall := time.Since(began)
		if err != nil || !strings.Contains(string(out), "1000 proxies, 1000 listeners, 1000 pools, 9000 rules") {
			t.Fatalf("%v: %s", err, out)
		}
		state := cmd.ProcessState
		cpu, kib := state.UserTime()+state.SystemTime(), state.SysUsage().(*syscall.Rusage).Maxrss
		if runtime.GOOS == "darwin" {
			kib >>= 10 // it counts bytes
		}
		t.Logf("1,000 proxies, 14,000 expressions: %s of processor time, %s on the clock, %d MiB resident",
			cpu.Round(time.Millisecond), wall.Round(time.Millisecond), kib>>10)
		spent = append(spent, cpu)
		if kib > mostKiB {
			t.Errorf("%d MiB resident", kib>>10)
		}
	}
	slices.Sort(spent)
	if spent[1] > most {
		t.Errorf("it took %s of processor time", spent[1])
	}
}
