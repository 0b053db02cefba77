package policy

import (
	"github.com/zclconf/go-cty/cty"
)

// plain turns a value into what JSON has, which is what rules and hashes know:
// string, bool, int, float64, nil, []any and map[string]any. A pool or a proxy is its
// address.
func plain(value cty.Value) any {
	value, _ = value.UnmarkDeep()
	return plainUnmarked(value)
}

func plainUnmarked(value cty.Value) any {
	if value.IsNull() || !value.IsKnown() {
		return nil
	}
	kind := value.Type()
	switch {
	case kind == cty.String:
		return value.AsString()
	case kind == cty.Bool:
		return value.True()
	case kind == cty.Number:
		return plainNumber(value)
	case kind == poolType:
		return value.EncapsulatedValue().(*Pool).Address
	case kind == proxyType:
		return value.EncapsulatedValue().(*Proxy).Address
	case kind.IsMapType() || kind.IsObjectType():
		object := map[string]any{}
		for it := value.ElementIterator(); it.Next(); {
			key, element := it.Element()
			object[key.AsString()] = plainUnmarked(element)
		}
		return object
	case kind.IsListType() || kind.IsTupleType() || kind.IsSetType():
		list := []any{}
		for it := value.ElementIterator(); it.Next(); {
			_, element := it.Element()
			list = append(list, plainUnmarked(element))
		}
		return list
	}
	return nil
}

func plainNumber(value cty.Value) any {
	number := value.AsBigFloat()
	if n, accuracy := number.Int64(); accuracy == 0 && number.IsInt() {
		return int(n)
	}
	f, _ := number.Float64()
	return f
}

// example gives a value of a type, for a variable of a ruleset that nobody uses, so that
// its rules can be checked. A variable of any type has nothing to show.
func example(kind cty.Type) any {
	switch {
	case kind == cty.String:
		return ""
	case kind == cty.Bool:
		return false
	case kind == cty.Number:
		return 0
	case kind.IsMapType():
		return map[string]any{"": example(kind.ElementType())}
	case kind.IsListType() || kind.IsSetType():
		return []any{example(kind.ElementType())}
	case kind.IsTupleType():
		list := []any{}
		for _, element := range kind.TupleElementTypes() {
			list = append(list, example(element))
		}
		return list
	case kind.IsObjectType():
		object := map[string]any{}
		for name, element := range kind.AttributeTypes() {
			object[name] = example(element)
		}
		return object
	}
	return nil
}

// hasMarks reports whether any part of a value is sensitive.
func hasMarks(value cty.Value) bool { return value.ContainsMarked() }
