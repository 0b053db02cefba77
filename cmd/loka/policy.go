package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loka-proxy/loka/core/policy"
)

// defaultConfig is where a policy is looked for when nothing is said: here, if here is
// what "loka init" makes, else where services have theirs.
func defaultConfig() string {
	if _, err := os.Stat("loka.hcl"); err == nil {
		return "."
	}
	return "/etc/loka"
}

// policyFlags are the flags of every command that loads one policy.
type policyFlags struct {
	config string
	valueFlags
}

func (f *policyFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", defaultConfig(), "policy: a file, or a directory of *.hcl; . if loka.hcl is here, else /etc/loka")
	completeFlag(cmd, "config", completePolicies)
	f.valueFlags.register(cmd)
}

// valueFlags are the flags that give values to the variables of a policy.
type valueFlags struct {
	settings []policy.Setting
}

func (f *valueFlags) register(cmd *cobra.Command) {
	cmd.Flags().Var(&settingFlag{f: f}, "var", "value of a variable, as `name=value`; may be given again")
	cmd.Flags().Var(&settingFlag{f: f, file: true}, "var-file", "`file` of values (name = value); may be given again")
	completeFlag(cmd, "var", cobra.NoFileCompletions)
	completeFlag(cmd, "var-file", completePolicies)
}

func (f *valueFlags) options() policy.Options {
	return policy.Options{Settings: f.settings, Environ: os.LookupEnv}
}

// settingFlag keeps --var and --var-file in the order in which they were given.
type settingFlag struct {
	f    *valueFlags
	file bool
}

var _ pflag.Value = (*settingFlag)(nil)

func (s *settingFlag) String() string { return "" }

func (s *settingFlag) Type() string { return "string" }

func (s *settingFlag) Set(text string) error {
	if s.file {
		s.f.settings = append(s.f.settings, policy.Setting{VarFile: text})
		return nil
	}
	if !strings.Contains(text, "=") {
		return errors.New("must be name=value")
	}
	s.f.settings = append(s.f.settings, policy.Setting{Var: text})
	return nil
}

// load loads the policy and prints what is wrong with it.
func (f *policyFlags) load() (*policy.Policy, error) {
	p, diags := policy.Load(f.config, f.options())
	if err := diags.Write(os.Stderr); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, &failure{code: exitPolicy, err: fmt.Errorf("%s does not load", f.config), silent: true}
	}
	return p, nil
}
