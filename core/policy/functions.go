package policy

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions are those of plain HCL, run once at load. They have nothing to do with
// the functions of the expressions in rules. None of them depends on the time or on
// chance: the same files make the same policy.
var functions = &hcl.EvalContext{Functions: map[string]function.Function{
	"abs":             stdlib.AbsoluteFunc,
	"can":             tryfunc.CanFunc,
	"ceil":            stdlib.CeilFunc,
	"chomp":           stdlib.ChompFunc,
	"chunklist":       stdlib.ChunklistFunc,
	"coalesce":        stdlib.CoalesceFunc,
	"coalescelist":    stdlib.CoalesceListFunc,
	"compact":         stdlib.CompactFunc,
	"concat":          stdlib.ConcatFunc,
	"contains":        stdlib.ContainsFunc,
	"csvdecode":       stdlib.CSVDecodeFunc,
	"distinct":        stdlib.DistinctFunc,
	"element":         stdlib.ElementFunc,
	"flatten":         stdlib.FlattenFunc,
	"floor":           stdlib.FloorFunc,
	"format":          guarded(stdlib.FormatFunc, checkFormat),
	"formatlist":      guarded(stdlib.FormatListFunc, checkFormat),
	"index":           stdlib.IndexFunc,
	"join":            guarded(stdlib.JoinFunc, checkJoin),
	"jsondecode":      stdlib.JSONDecodeFunc,
	"jsonencode":      stdlib.JSONEncodeFunc,
	"keys":            stdlib.KeysFunc,
	"length":          stdlib.LengthFunc,
	"lookup":          stdlib.LookupFunc,
	"lower":           stdlib.LowerFunc,
	"max":             stdlib.MaxFunc,
	"merge":           stdlib.MergeFunc,
	"min":             stdlib.MinFunc,
	"parseint":        stdlib.ParseIntFunc,
	"range":           stdlib.RangeFunc,
	"regex":           stdlib.RegexFunc,
	"regex_replace":   guarded(stdlib.RegexReplaceFunc, checkReplace),
	"regexall":        stdlib.RegexAllFunc,
	"replace":         guarded(stdlib.ReplaceFunc, checkReplace),
	"reverse":         stdlib.ReverseListFunc,
	"setintersection": stdlib.SetIntersectionFunc,
	"setproduct":      guarded(stdlib.SetProductFunc, checkProduct),
	"setunion":        stdlib.SetUnionFunc,
	"slice":           stdlib.SliceFunc,
	"sort":            stdlib.SortFunc,
	"split":           stdlib.SplitFunc,
	"strlen":          stdlib.StrlenFunc,
	"substr":          stdlib.SubstrFunc,
	"title":           stdlib.TitleFunc,
	"tobool":          stdlib.MakeToFunc(cty.Bool),
	"tolist":          stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":        stdlib.MakeToFunc(cty.Number),
	"toset":           stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":        stdlib.MakeToFunc(cty.String),
	"trim":            stdlib.TrimFunc,
	"trimprefix":      stdlib.TrimPrefixFunc,
	"trimspace":       stdlib.TrimSpaceFunc,
	"trimsuffix":      stdlib.TrimSuffixFunc,
	"try":             tryfunc.TryFunc,
	"upper":           stdlib.UpperFunc,
	"values":          stdlib.ValuesFunc,
	"zipmap":          stdlib.ZipmapFunc,
}}

// functionsOf gives the functions for the blocks of one file.
func (l *loader) functionsOf(src *source) *hcl.EvalContext {
	ctx := functions.NewChild()
	ctx.Functions = map[string]function.Function{
		"file": l.fileFunction(src),
		"env":  textFunction("name", noEnviron),
	}
	return ctx
}

// functionsOfDefault gives those for a variable's default, the one place that may
// read the environment, so that everything a policy takes from there is seen in its
// variables.
func (l *loader) functionsOfDefault(src *source) *hcl.EvalContext {
	ctx := l.functionsOf(src)
	ctx.Functions["env"] = textFunction("name", func(name string) (string, error) {
		value, _ := l.opts.Environ(name)
		if !utf8.ValidString(value) {
			return "", fmt.Errorf("the environment variable %s is not valid UTF-8", name)
		}
		return value, nil
	})
	return ctx
}

func noEnviron(string) (string, error) {
	return "", errors.New("env() works in the default of a variable only; give a variable that default and name the variable here")
}

// fileFunction reads a file whose name is relative to the policy file. A change to
// the file is a change to the policy.
func (l *loader) fileFunction(src *source) function.Function {
	return textFunction("path", func(name string) (string, error) {
		full := beside(src, name)
		content, err := l.inputs.read(full, maxDataBytes)
		if err != nil {
			return "", fmt.Errorf("%s cannot be read: %s", full, whyNot(err))
		}
		if !utf8.Valid(content) {
			return "", fmt.Errorf("%s is not valid UTF-8", full)
		}
		l.meter.spent += len(content)
		return string(content), nil
	})
}

// beside resolves a file name that a policy file mentions.
func beside(src *source, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(src.name), name)
}

// textFunction makes a function from a text to a text.
func textFunction(parameter string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: parameter, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			out, err := f(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(out), nil
		},
	})
}

// ownDocs describes the functions that have no words of their own.
var ownDocs = map[string][]string{
	"can":  {"can(expression)", "Whether the expression has a value, and is no mistake."},
	"try":  {"try(expression, …)", "The first of the expressions that is no mistake."},
	"env":  {"env(name)", "The value of an environment variable, or an empty text. In the default of a variable only."},
	"file": {"file(path)", "The text of a file."},
}

// functionDocs gives usage and meaning of the functions of plain HCL.
func functionDocs() map[string][]string {
	docs := maps.Clone(ownDocs)
	for name, f := range functions.Functions {
		if docs[name] != nil {
			continue
		}
		var params []string
		for _, p := range f.Params() {
			params = append(params, p.Name)
		}
		if p := f.VarParam(); p != nil {
			params = append(params, p.Name+"…")
		}
		docs[name] = []string{name + "(" + strings.Join(params, ", ") + ")", plainer.Replace(strings.ReplaceAll(f.Description(), `\"`, `"`))}
	}
	return docs
}
