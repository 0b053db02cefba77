package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// surplus says which attribute of a value the variable's type does not have: the
// conversion would drop it, and the optional attribute that was meant would keep its
// default. It is asked of values that are written for the variable. What a ruleset is
// given may be an object with more than the ruleset needs.
func (v *variable) surplus(value cty.Value) string {
	path, name, known := surplusOf(value.Type(), v.kind)
	switch {
	case name == "":
		return ""
	case v.sensitive:
		return "it has an attribute that the type does not have"
	case path != "":
		path = "in " + strings.TrimPrefix(path, ".") + ", "
	}
	return fmt.Sprintf("%sthe type has no attribute %q.%s", path, name, didYouMean(name, known))
}

// surplusOf finds the first attribute of a type that another has no use for.
func surplusOf(have, want cty.Type) (path, name string, known []string) {
	switch {
	case have.IsObjectType() && want.IsObjectType():
		known := sortedNames(want.AttributeTypes())
		for _, name := range sortedNames(have.AttributeTypes()) {
			if !want.HasAttribute(name) {
				return "", name, known
			}
		}
		for _, name := range sortedNames(have.AttributeTypes()) {
			if path, surplus, known := surplusOf(have.AttributeType(name), want.AttributeType(name)); surplus != "" {
				return "." + name + path, surplus, known
			}
		}
	case have.IsObjectType() && want.IsMapType():
		for _, key := range sortedNames(have.AttributeTypes()) {
			if path, surplus, known := surplusOf(have.AttributeType(key), want.ElementType()); surplus != "" {
				return "[" + quoteKey(key) + "]" + path, surplus, known
			}
		}
	case have.IsTupleType() && (want.IsListType() || want.IsSetType()):
		for i, element := range have.TupleElementTypes() {
			if path, surplus, known := surplusOf(element, want.ElementType()); surplus != "" {
				return "[" + strconv.Itoa(i) + "]" + path, surplus, known
			}
		}
	}
	return "", "", nil
}
