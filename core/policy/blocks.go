package policy

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// blockType is one type of block: what may stand in it, and what it is for. The decoder
// reads by these types and the reference is made from them, so that what is documented
// is what is read.
type blockType struct {
	name   string
	labels []string
	doc    string
	// free says what the arguments are where they may have any name.
	free   string
	args   []argumentType
	blocks []*blockType
}

// argumentType is one argument of a block.
type argumentType struct {
	name     string
	required bool
	// is names the type of the value.
	is string
	// fallback is the value where none is given: a string, an int, a bool or a
	// time.Duration; nil when there is none. without says what holds then.
	fallback any
	without  string
	// least and most bound a number, and choices are the texts that there are.
	least, most int
	choices     []string
	doc         string
}

// The types of values, as the reference calls them.
const (
	isText       = "text"
	isTexts      = "list of texts"
	isNumber     = "number"
	isDecimal    = "decimal number"
	isBool       = "true or false"
	isDuration   = "duration"
	isExpression = "expression"
	isAny        = "any value"
	isType       = "type"
	isPool       = "pool"
	isProxy      = "proxy"
	isSinks      = "list of sinks"
	isForEach    = "map, or set of texts"
)

// schema gives what HCL reads the block by.
func (t *blockType) schema() *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for _, a := range t.args {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: a.name, Required: a.required})
	}
	for _, b := range t.blocks {
		schema.Blocks = append(schema.Blocks, b.header())
	}
	return schema
}

func (t *blockType) header() hcl.BlockHeaderSchema {
	return hcl.BlockHeaderSchema{Type: t.name, LabelNames: t.labels}
}

// arg gives an argument of the block. To ask for one that it does not have is a mistake
// in this package.
func (t *blockType) arg(name string) *argumentType {
	for i := range t.args {
		if t.args[i].name == name {
			return &t.args[i]
		}
	}
	panic("policy: block " + t.name + " has no argument " + name)
}

// names lists the arguments of the block.
func (t *blockType) names() (list []string) {
	for _, a := range t.args {
		list = append(list, a.name)
	}
	return list
}

// The fallbacks by their types.
func (a *argumentType) text() string {
	text, _ := a.fallback.(string)
	return text
}

func (a *argumentType) number() int {
	n, _ := a.fallback.(int)
	return n
}

func (a *argumentType) duration() time.Duration {
	d, _ := a.fallback.(time.Duration)
	return d
}
