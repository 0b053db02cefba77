package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

func rulesListCommand() *cobra.Command {
	var flags policyFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [PATH]",
		Short: "List the rules of each proxy in the order in which they run",
		Long: `List the rules of each proxy, those of rulesets in the place of their use: for each kind
and method in the order in which they run, with the place in the file, the condition
and what the rule does. Variables stand in conditions by their names.

Exit codes: 0 the policy is good, 1 it does not load.`,
		Example: `  loka rules list
  loka rules list loka.hcl --var wallet=37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ
  loka rules list /etc/loka --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				flags.config = args[0]
			}
			p, err := flags.load()
			if err != nil {
				return err
			}
			list := listings(p)
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			for i, l := range list {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				l.write(cmd.OutOrStdout())
			}
			return nil
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array of the proxies")
	return cmd
}

// listing is one proxy with its rules.
type listing struct {
	Proxy     string       `json:"proxy"`
	Listeners []string     `json:"listeners"`
	Pool      string       `json:"pool"`
	Rules     []listedRule `json:"rules"`
}

// listedRule is one rule. They are sorted by kind, and run in this order.
type listedRule struct {
	Address string   `json:"rule"`
	Kind    string   `json:"kind"`
	Method  string   `json:"method,omitempty"`
	Place   string   `json:"place"`
	When    string   `json:"when,omitempty"`
	Does    []string `json:"does"`
}

func listings(p *policy.Policy) []listing {
	list := []listing{}
	for _, proxy := range p.Proxies {
		l := listing{Proxy: proxy.Address, Pool: proxy.Pool.Address, Rules: []listedRule{}}
		for _, listener := range proxy.Listeners {
			l.Listeners = append(l.Listeners, listener.Address)
		}
		for kind := rules.Connect; kind <= rules.Notification; kind++ {
			for _, rule := range proxy.Program.Rules() {
				if rule.Kind == kind {
					l.Rules = append(l.Rules, listed(p, &rule))
				}
			}
		}
		list = append(list, l)
	}
	return list
}

func listed(p *policy.Policy, rule *rules.Rule) listedRule {
	out := listedRule{
		Address: rule.Address, Kind: rule.Kind.String(), Method: rule.Method,
		Place: p.Place(rule), Does: does(rule),
	}
	if rule.When != nil {
		out.When = p.Redact(strings.TrimSpace(rule.When.Text))
	}
	return out
}

// does says what a rule does when it matches, in the words of the policy.
func does(rule *rules.Rule) []string {
	list := []string{}
	if len(rule.Set) > 0 {
		fields := make([]string, len(rule.Set))
		for i, a := range rule.Set {
			fields[i] = a.Field
		}
		list = append(list, "set "+strings.Join(fields, ", "))
	}
	switch {
	case rule.Deny != nil && rule.Kind == rules.Connect:
		list = append(list, "deny")
	case rule.Deny != nil && rule.Deny.Code != 0:
		list = append(list, fmt.Sprint("deny ", rule.Deny.Code))
	case rule.Deny != nil:
		list = append(list, fmt.Sprint("deny ", rules.DeniedCode))
	case rule.Reply != nil:
		list = append(list, "reply")
	case rule.Drop:
		list = append(list, "drop")
	}
	if rule.Route != "" {
		list = append(list, "route "+rule.Route)
	}
	if rule.Stop {
		list = append(list, "stop")
	}
	return list
}

// write writes the listing for people: the rules under the message that they are for,
// in columns.
func (l *listing) write(w io.Writer) {
	fmt.Fprintf(w, "%s  %s -> %s\n", l.Proxy, strings.Join(l.Listeners, ", "), l.Pool)
	var addresses, places, conditions column
	for _, rule := range l.Rules {
		addresses.fit(rule.Address)
		places.fit(rule.Place)
		conditions.fit(rule.condition())
	}
	head := ""
	for _, rule := range l.Rules {
		if next := strings.TrimSpace(rule.Kind + " " + rule.Method); next != head {
			head = next
			fmt.Fprintf(w, "  %s\n", head)
		}
		line := "    " + addresses.cell(rule.Address) + places.cell(rule.Place) + conditions.cell(rule.condition()) + strings.Join(rule.Does, "; ")
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// condition gives the rule's condition on one line, shortened.
func (r *listedRule) condition() string {
	const most = 60
	text := strings.Join(strings.Fields(r.When), " ")
	if text == "" {
		return ""
	}
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most-1]) + "…"
	}
	return "when " + text
}

// column is the width of the widest of some cells.
type column int

func (c *column) fit(text string) { *c = max(*c, column(utf8.RuneCountInString(text))) }

func (c column) cell(text string) string {
	if c == 0 {
		return ""
	}
	return text + strings.Repeat(" ", int(c)-utf8.RuneCountInString(text)+2)
}

// writeJSON writes a value in JSON, indented, without the escapes that HTML needs.
func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
