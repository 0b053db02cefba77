package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/loka-proxy/loka/core/policy"
)

// The files of a policy that loka init writes.
const (
	starterPolicy = "loka.hcl"
	starterTests  = "loka.test.hcl"
)

// starter is what a new policy is made from, as it is typed.
type starter struct {
	Name, Pool, Wallet, Port string
	// Layout is how names go to the pool: the name of one of the layouts.
	Layout string
}

// usual is a starter that is in order, with what is taken where nothing is said.
var usual = starter{Name: "farm", Pool: "stratum+tcp://eu.pool.example:3333", Wallet: "myfarm", Port: "3333", Layout: layouts[0].name}

// layout is one way to make the pool's name of a miner's.
type layout struct {
	name  string
	about string
	// Samples are names of miners, in each of which STEM stands for a word, with what the
	// pool sees, as HCL text. Own are names of the wallet that stay what they are.
	Samples []sample
	Own     []string
	// Then come the name, the condition and the expression of the rule that does it.
	Rule, When, User string
}

// sample is a name on both sides of the proxy.
type sample struct{ From, To string }

// notYet is the condition of rules that leave names of the wallet alone.
const notYet = "user != var.wallet and not (user startsWith var.wallet + '.')"

// layouts are the ways, the usual one first.
var layouts = []layout{
	{
		name: "wallet.worker", about: "any name becomes a worker of the wallet: john.test is WALLET.john_test",
		Samples: []sample{{"STEM.test", "${var.wallet}.STEM_test"}, {"STEM~a b", "${var.wallet}.STEM_a_b"}, {"", "${var.wallet}"}},
		Own:     []string{"${var.wallet}", "${var.wallet}.rig7"},
		Rule:    "to_wallet", When: notYet,
		User: "var.wallet + '.' + replace(user, '.', '_')",
	},
	{
		name: "replace-account", about: "the wallet takes the place of an account: john.rig7 is WALLET.rig7",
		Samples: []sample{
			{"STEM.rig7", "${var.wallet}.rig7"},
			{"STEM-rig7", "${var.wallet}.STEM-rig7"},
			{"STEM.a b~c.d", "${var.wallet}.a_b_c_d"},
			{"", "${var.wallet}"},
		},
		Own:  []string{"${var.wallet}", "${var.wallet}.rig7"},
		Rule: "other_account", When: notYet,
		User: "var.wallet + '.' + replace(worker(user) == '' ? user : worker(user), '.', '_')",
	},
	{
		name: "wallet", about: "all miners have the name of the wallet, for pools that take no workers",
		Samples: []sample{{"STEM.test", "${var.wallet}"}, {"", "${var.wallet}"}},
		Own:     []string{"${var.wallet}"},
		Rule:    "only_wallet", When: "user != var.wallet",
		User: "var.wallet",
	},
	{
		name: "as-is", about: "names go to the pool as miners give them; no wallet is asked for",
		Samples: []sample{{"STEM.test", "STEM.test"}},
	},
}

// samples gives the layout's, with a word in them that makes none a name of the wallet.
func (s starter) samples() []sample {
	stem := "john"
	if strings.HasPrefix(s.Wallet, stem) {
		stem = "hall1"
	}
	list := slices.Clone(s.layout().Samples)
	for i := range list {
		list[i].From = strings.ReplaceAll(list[i].From, "STEM", stem)
		list[i].To = strings.ReplaceAll(list[i].To, "STEM", stem)
	}
	return list
}

// layout gives the starter's layout, or nil when there is none of that name.
func (s starter) layout() *layout {
	i := slices.IndexFunc(layouts, func(l layout) bool { return l.name == s.Layout })
	if i < 0 {
		return nil
	}
	return &layouts[i]
}

// pays reports whether the policy needs a wallet.
func (s starter) pays() bool { return s.Layout != "as-is" }

// problem says what is wrong with a starter. Whether it makes a policy is for the
// loader to say.
func (s starter) problem() error {
	port, err := strconv.ParseUint(s.Port, 10, 16)
	switch {
	case s.layout() == nil:
		return fmt.Errorf("there is no layout %q; there are %s", s.Layout, strings.Join(layoutNames(), ", "))
	case err != nil || port == 0:
		return errors.New("a port is a number from 1 to 65535")
	case s.pays() && strings.TrimSpace(s.Wallet) == "":
		return errors.New("the wallet is empty")
	case strings.TrimSpace(s.Wallet) != s.Wallet:
		return errors.New("the wallet has white space around it")
	case strings.HasPrefix(s.Wallet, ".") || strings.HasSuffix(s.Wallet, "."):
		return errors.New("a wallet does not begin or end with a dot: some pools would pay somebody else")
	case placeholder.MatchString(s.Wallet):
		return fmt.Errorf("%s only stands for a wallet: give your own address, or your account at the pool", s.Wallet)
	case !utf8.ValidString(s.Wallet) || strings.ContainsFunc(s.Wallet, unicode.IsControl):
		return errors.New("the wallet has characters in it that are no text")
	case len(s.Wallet) > 128:
		return errors.New("the wallet is longer than 128 bytes")
	case !s.pays() && s.Wallet != "":
		return errors.New("with the layout as-is names stay what they are, so no wallet is used")
	}
	return s.loads()
}

// loads loads the policy that the starter makes, from a folder that is gone afterwards.
func (s starter) loads() error {
	dir, err := os.MkdirTemp("", "loka-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, starterPolicy), s.policy(), 0o600); err != nil {
		return err
	}
	_, diags := policy.Load(dir, policy.Options{})
	if diags.Len() == 0 {
		return nil
	}
	// What has a place is the cause of what has none.
	d := diags[max(0, slices.IndexFunc(diags, func(d policy.Diagnostic) bool { return d.Range != nil }))]
	detail, _, _ := strings.Cut(d.Detail, "\n")
	return errors.New(detail)
}

func layoutNames() []string {
	names := make([]string, len(layouts))
	for i, l := range layouts {
		names[i] = l.name
	}
	return names
}

// placeholder is what stands for a wallet in instructions.
var placeholder = regexp.MustCompile(`^<.*>$|^(?i:<?your[ _-]?(wallet|address|account))|^(WALLET|ADDRESS|ACCOUNT)$|(…|[.]{3})$`)

var (
	bitcoinAddress = regexp.MustCompile(`^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})$`)
	niceHash       = regexp.MustCompile(`^NHb[1-9A-HJ-NP-Za-km-z]{33}$`)
	nearlyAddress  = regexp.MustCompile(`^(bc1|[13])[0-9A-Za-z]{24,}$`)
	accountName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

// doubt says why a wallet may not be what was meant, or nothing. Pools have names of many
// forms, so it is only a doubt.
func doubt(wallet string) string {
	switch {
	case bitcoinAddress.MatchString(wallet), niceHash.MatchString(wallet):
		return ""
	case nearlyAddress.MatchString(wallet):
		return "it looks like a Bitcoin address, but has a letter that addresses do not have, or too many or too few of them"
	case accountName.MatchString(wallet):
		return ""
	}
	return "it is neither a Bitcoin address of the main network nor an account of letters, digits, - and _"
}

// address is the pool's address with its scheme.
func (s starter) address() string {
	if strings.Contains(s.Pool, "://") {
		return s.Pool
	}
	return "stratum+tcp://" + s.Pool
}

// policy gives the text of the policy.
func (s starter) policy() []byte { return s.render(policyTemplate) }

// tests gives the text of its tests.
func (s starter) tests() []byte { return s.render(testsTemplate) }

func (s starter) render(t *template.Template) []byte {
	var b strings.Builder
	err := t.Execute(&b, map[string]any{
		"Name": s.Name, "Address": s.address(), "Listen": ":" + s.Port, "Port": s.Port,
		"Wallet": s.Wallet, "Layout": s.layout(), "Pays": s.pays(), "Samples": s.samples(), "Kind": s.Layout,
	})
	if err != nil { // the templates are constants
		panic(err)
	}
	text, _ := policy.Format([]byte(b.String()), t.Name()) // where it is none, the loader says why
	return text
}

func parseTemplate(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"quote":  policy.Quote,
		"wallet": func(name string) string { return strings.ReplaceAll(name, "${var.wallet}", "WALLET") },
	}).Parse(text))
}

var policyTemplate = parseTemplate(starterPolicy, `# A policy for loka: where miners connect, where they go, and what happens to what they say.
#
# In its directory: check it with "loka validate .", test it with "loka rules test .", and
# run it with "loka run --config .".
{{if .Pays}}
# Who is paid: an address, or an account at the pool. This is the value where nobody gives
# another one: by --var wallet=…, by LOKA_VAR_wallet in the environment, or in a file
# that ends in .auto.vars.hcl beside this one.
variable "wallet" {
  type    = string
  default = {{quote .Wallet}}
}
{{end}}
# Where the work comes from. Servers are tried in their order: give a second one for the
# day on which the first is down.
pool "main" {
  server "main" { address = {{quote .Address}} }
  # server "backup" { address = "stratum+tcp://other.pool.example:3333" }
}

# Where miners connect, and the rules for their messages. More listeners make more ports,
# more proxy blocks more ways to treat miners.
proxy {{quote .Name}} {
  pool = pool.main
  listener "tcp" { address = {{quote .Listen}} }
{{- if .Pays}}
{{range .Samples}}{{if .From}}
  # {{printf "%-12s" .From}}  ->  {{wallet .To}}{{end}}{{end}}
  #
  # What a name is mapped to here holds for the shares that follow.
  request "mining.authorize" {{quote .Layout.Rule}} {
    when = {{quote .Layout.When}}
    set {
      user = {{quote .Layout.User}}
    }
  }
{{- if ne .Kind "wallet"}}

  # Other characters than letters, digits, - and _ mean something to some pools: here they
  # become an underscore.
  request "mining.authorize" "clean_worker" {
    when = "user != var.wallet"
    set {
      user = <<-EXPR
        let own = trimPrefix(user, var.wallet + '.');
        let rig = join(map(split(own, ''), # matches '^[A-Za-z0-9_-]$' ? # : '_'), '');
        rig == '' ? var.wallet : var.wallet + '.' + rig
      EXPR
    }
  }
{{- end}}
{{- else}}

  # A rule goes here, as in:
  #
  # request "mining.authorize" "valid_name" {
  #   when = "user == ''"
  #   deny {
  #     code    = 24
  #     message = "Unauthorized worker"
  #   }
  # }
{{- end}}
}

# Metrics for Prometheus at /metrics, and /healthz and /readyz for those who watch.
# admin { address = "127.0.0.1:9464" }
`)

var testsTemplate = parseTemplate(starterTests, `# What the policy makes of messages. A step is one message; run all with "loka rules test ."
# in this directory.

test "what the pool hears of a miner" {
  request "mining.subscribe" {
    params = ["cgminer/4.11.1"]
    expect { unchanged = true }
  }
{{- range $i, $sample := .Samples}}
{{- if eq $i 1}}

  # Other names, on the same connection.
{{- end}}
  request "mining.authorize" {
    params = [{{quote .From}}, "x"]
    expect { params = ["{{.To}}", "x"] }
  }
{{- if eq $i 0}}
  # The same name comes with each share.
  request "mining.submit" {
    params = [{{quote .From}}, "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { params = ["{{.To}}", "6a1f", "00000000", "66a0b1c2", "deadbeef"] }
  }
{{- end}}
{{- end}}
}
{{- if .Pays}}

test "the wallet's own names stay" {
{{- range .Layout.Own}}
  request "mining.authorize" {
    params = ["{{.}}", "x"]
    expect { unchanged = true }
  }
{{- end}}
}
{{- end}}
`)
