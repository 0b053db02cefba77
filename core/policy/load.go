package policy

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// Options is what a load is given besides the files.
type Options struct {
	// Settings are the values of --var and --var-file, in the order of the command
	// line. A later one wins.
	Settings []Setting
	// Environ looks up an environment variable: LOKA_VAR_name gives a variable a
	// value, and env("NAME") reads one in a default. Nil means an empty environment.
	Environ func(name string) (value string, ok bool)
	// from, when not nil, is read in the place of files.
	from *Stored
	// Files, when not nil, gets the names of the files that were read, whether the policy
	// loads or not.
	Files *[]string
}

// Setting is one --var or --var-file. One of the two fields is given.
type Setting struct {
	// Var is "name=value".
	Var string `json:"var,omitempty"`
	// VarFile is the name of a file of values.
	VarFile string `json:"var_file,omitempty"`
}

// Load reads a policy from a file, or from all *.hcl of a directory, with everything
// that it includes, and checks and compiles all of it.
//
// The policy is nil if there is any error; the diagnostics hold all of them, not the
// first one, and the warnings too. Nothing is dialled, bound or run.
func Load(path string, opts Options) (*Policy, Diagnostics) {
	if opts.Environ == nil {
		opts.Environ = noEnvironment
	}
	notes := &Stored{Path: path, Settings: opts.Settings, Environ: map[string]*string{}, Directories: map[string][]string{}, Patterns: map[string][]string{}}
	opts.Environ = notes.noting(opts.Environ)
	l := newLoader(opts, newReport())
	l.inputs.notes, l.inputs.from = notes, opts.from
	l.readPolicy(path)
	l.hideRaw()
	if l.readable() {
		l.build()
	}
	if opts.Files != nil {
		*opts.Files = l.inputs.names
	}
	if !l.diags.HasErrors() {
		l.doubt()
	}
	diags := l.diagnostics()
	if diags.HasErrors() {
		return nil, diags
	}
	l.policy.Files = l.inputs.names
	l.policy.Hash = l.hash()
	l.policy.secrets = l.quoted()
	l.policy.stored = cmp.Or(opts.from, notes.filled(l.inputs))
	return l.policy, diags
}

func noEnvironment(string) (string, bool) { return "", false }

// loader carries one load from the first file to the last proxy.
type loader struct {
	*report
	// from is how much was said before this load.
	from   int
	opts   Options
	inputs *inputs
	meter  *meter
	// root is the directory that the policy is in. Only a policy that isDirectory has
	// files of values that belong to it.
	root        string
	isDirectory bool
	files       []*source
	autoVars    []string
	seen        map[string]bool

	blocks    map[string][]*block
	variables map[string]*variable
	locals    map[string]*local
	pools     *references[Pool]
	proxies   *references[Proxy]
	rulesets  map[string]*ruleset
	// poolAt finds a pool by its address.
	poolAt map[string]*Pool
	// poolNames are the addresses of all pools; nil if some could not be made out.
	poolNames []string
	listeners map[string]listenerPlace
	usage     usage
	compiler  *rules.Compiler
	// unguarded holds the places of values whose rule has no condition, though it
	// should have one; see unguard.
	unguarded map[*place]bool
	// tests are the files that test the policy, and values what one of their tests gives
	// to its variables. Only a load for tests has them.
	tests  []*source
	values []testValues
	// rawSecrets are the names of sensitive variables, as the lines of the files tell them.
	rawSecrets []string

	policy *Policy
}

func newLoader(opts Options, r *report) *loader {
	return &loader{
		report:    r,
		from:      len(r.diags),
		opts:      opts,
		inputs:    &inputs{contents: map[string][]byte{}},
		meter:     &meter{left: maxValueBytes},
		seen:      map[string]bool{},
		blocks:    map[string][]*block{},
		variables: map[string]*variable{},
		locals:    map[string]*local{},
		pools:     poolReferences(),
		proxies:   proxyReferences(),
		rulesets:  map[string]*ruleset{},
		poolAt:    map[string]*Pool{},
		listeners: map[string]listenerPlace{},
		compiler:  rules.NewCompiler(),
		usage:     usage{names: map[string]bool{}, owners: map[*rules.Scope]*ruleset{}, users: map[*rules.Scope]usedBy{}},
		unguarded: map[*place]bool{},
		policy: &Policy{
			Log:          Log{Level: logBlock.arg("level").text(), Format: logBlock.arg("format").text()},
			DrainTimeout: policyBlock.arg("drain_timeout").duration(),
		},
	}
}

// readable reports whether the policy was read as a whole. Judging a part of it would
// report as missing what only could not be read.
func (l *loader) readable() bool {
	for _, src := range l.files {
		if src.broken {
			return false
		}
	}
	for _, d := range l.diags[l.from:] {
		if d.Severity == hcl.DiagError && d.Subject == nil {
			return false
		}
	}
	return true
}

// build evaluates the policy, in the order in which its parts may refer to each
// other: variables, locals, pools, rulesets, proxies.
func (l *loader) build() {
	l.declare()
	l.buildVariables()
	l.buildLocals(earlyLocals)
	l.buildSettings()
	l.buildPools()
	l.buildLocals(lateLocals)
	l.buildAudits()
	l.buildRollout()
	l.buildRulesets()
	l.buildProxies()
	l.checkUnusedRulesets()
}

// block is a block of a policy file with the file that it stands in.
type block struct {
	*hcl.Block
	src *source
}

// name is the last label.
func (b *block) name() string { return b.Labels[len(b.Labels)-1] }

func (b *block) nameRange() hcl.Range { return b.LabelRanges[len(b.LabelRanges)-1] }

// declare sorts the blocks of all files by their types and makes sure that no name is
// given twice.
func (l *loader) declare() {
	var drain *hcl.Attribute
	for _, src := range l.files {
		content, _ := l.contentOf(src.body, src.top())
		for _, b := range content.Blocks {
			l.blocks[b.Type] = append(l.blocks[b.Type], &block{b, src})
		}
		attr := content.Attributes["drain_timeout"]
		switch {
		case attr == nil:
		case drain != nil:
			l.fail(attr.NameRange, "Argument given twice", "drain_timeout was already given at %s.", position(drain.NameRange))
		default:
			drain = attr
		}
	}
	if drain != nil {
		args := arguments{l, policyBlock, &scope{EvalContext: &hcl.EvalContext{}}, hcl.Attributes{drain.Name: drain}}
		l.policy.DrainTimeout = args.duration("drain_timeout")
	}
	for _, kind := range []string{"variable", "pool", "ruleset", "proxy", "audit"} {
		l.blocks[kind] = l.unique(kind, l.blocks[kind])
	}
	l.single("admin")
	l.single("log")
	l.single("rollout")
}

// unique drops blocks whose name is malformed or taken, and reports them.
func (l *loader) unique(kind string, blocks []*block) []*block {
	first := map[string]hcl.Range{}
	var kept []*block
	for _, b := range blocks {
		if !l.isName(kind, b.name(), b.nameRange()) {
			continue
		}
		key := address(b.Labels...)
		if at, taken := first[key]; taken {
			l.fail(b.DefRange, "Name given twice", "%s %q is already declared at %s.", kind, b.name(), position(at))
			continue
		}
		first[key] = b.DefRange
		kept = append(kept, b)
	}
	return kept
}

func (l *loader) single(kind string) {
	blocks := l.blocks[kind]
	for i := 1; i < len(blocks); i++ {
		l.fail(blocks[i].DefRange, "Block given twice", "A policy has one block %s, and there is one at %s.", kind, position(blocks[0].DefRange))
	}
	if len(blocks) > 1 {
		l.blocks[kind] = blocks[:1]
	}
}

// sensitive marks values that must not be shown.
const sensitive = "sensitive"

// unknown stands for a value that could not be had. Whatever needs it is left out
// without a further word, since the reason is reported already.
var unknown = cty.DynamicVal
