package rules

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func jsonOf(v any) (string, error) {
	clean, why := sanitize(v, 0)
	if why != "" {
		return "", failure(why)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(clean); err != nil {
		return "", failure("This value cannot be written as JSON.")
	}
	text := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	return bounded(len(text), func() string { return string(text) })
}

// intOf is the whole number in a value, or a failure where the language's own function
// gives any number for one that is too large.
func intOf(v any) (int, error) {
	if s, ok := v.(string); ok {
		if len(s) > 32 {
			s = "" // what fails is copied
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, failure("This text is not a whole number that fits in 64 bits.")
		}
		return n, nil
	}
	switch n := v.(type) {
	case int:
		return n, nil
	case float64:
		if math.Abs(n) < 1<<63 {
			return int(n), nil
		}
		return 0, failure("This number does not fit in 64 bits.")
	}
	return 0, failure("A number is needed here, but the value is " + phraseOf(v) + ".")
}

func bindInt(node *ast.CallNode) (any, []ast.Node, error) {
	fn := func(v any) int {
		n, err := intOf(v)
		if err != nil {
			panic(err)
		}
		return n
	}
	return fn, node.Arguments, nil
}

func floatOf(v any) (float64, error) {
	if s, ok := v.(string); ok {
		n, ok := parseNumber(s)
		if !ok {
			return 0, failure("This text is not a number.")
		}
		v = n
	}
	f, ok := toFloat(v)
	if !ok {
		return 0, failure("A number is needed here, but the value is " + phraseOf(v) + ".")
	}
	return f, nil
}

// typeOf names the type of a value as this package's texts do.
func typeOf(v any) (string, error) {
	if v == nil {
		return "nil", nil
	}
	_, word, _ := strings.Cut(phraseOf(v), " ")
	return word, nil
}

// emptyMap is a constant map without elements: its values may be of any one type.
type emptyMap map[string]any

// uniform gives a constant list or map in its narrowest type, so that the checker
// knows what comes out of it. The program that runs has the plain one.
func uniform(v any) any {
	switch v := v.(type) {
	case []any:
		if list, ok := convertList[string](v); ok && len(v) > 0 {
			return list
		}
	case map[string]any:
		return uniformMap(v)
	}
	return v
}

func uniformMap(m map[string]any) any {
	if len(m) == 0 {
		return emptyMap(m)
	}
	if list, ok := convertMap[string](m); ok {
		return list
	}
	if list, ok := convertMap[bool](m); ok {
		return list
	}
	numbers := make(map[string]float64, len(m))
	for k, item := range m {
		f, ok := toFloat(item)
		if !ok {
			return m
		}
		numbers[k] = f
	}
	return numbers
}

func convertList[T any](list []any) ([]T, bool) {
	out := make([]T, len(list))
	for i, item := range list {
		v, ok := item.(T)
		if !ok {
			return nil, false
		}
		out[i] = v
	}
	return out, true
}

func convertMap[T any](m map[string]any) (map[string]T, bool) {
	out := make(map[string]T, len(m))
	for k, item := range m {
		v, ok := item.(T)
		if !ok {
			return nil, false
		}
		out[k] = v
	}
	return out, true
}

// lookupGives knows the type when the map's values and the default agree.
func lookupGives(args []reflect.Type) reflect.Type {
	if len(args) != 3 || args[0] == nil || args[2] == nil {
		return anyType
	}
	if args[0] == reflect.TypeFor[emptyMap]() {
		return args[2]
	}
	if args[0].Kind() != reflect.Map {
		return anyType
	}
	element := args[0].Elem()
	if element == args[2] || (element == floatType && args[2] == intType) {
		return element
	}
	return anyType
}

func lookup(args []any) (any, error) {
	key, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	m, ok := args[0].(map[string]any)
	if !ok && args[0] != nil {
		return nil, failure("A map is needed here, but the value is " + phraseOf(args[0]) + ".")
	}
	if v, ok := m[key]; ok {
		return v, nil
	}
	return args[2], nil
}

// bindLookup binds the common case, a table of texts with a text for the rest.
func bindLookup(node *ast.CallNode) (any, []ast.Node, error) {
	table, ok := node.Arguments[0].(*ast.ConstantNode)
	if !ok || node.Arguments[2].Type() != stringType {
		return nil, nil, nil
	}
	values, ok := table.Value.(map[string]any)
	m, texts := convertMap[string](values)
	if !ok || !texts {
		return nil, nil, nil
	}
	fn := func(key, otherwise string) string {
		if v, ok := m[key]; ok {
			return v
		}
		return otherwise
	}
	return fn, node.Arguments[1:], nil
}

// networks is a list of networks, parsed.
type networks []netip.Prefix

func (n networks) contains(address string) (bool, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false, failure("This is not an IP address.")
	}
	ip = ip.Unmap().WithZone("")
	for _, prefix := range n {
		if prefix.Contains(ip) {
			return true, nil
		}
	}
	return false, nil
}

// parseNetwork reads 10.0.0.0/8, and a lone address as the network of it alone.
func parseNetwork(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, failure("This is not a network; one looks like 10.0.0.0/8 or fd00::/8.")
	}
	return prefix.Masked(), nil
}

func parseNetworks(v any) (networks, error) {
	if s, ok := v.(string); ok {
		v = []string{s}
	}
	list, err := textList(v)
	if err != nil {
		return nil, err
	}
	parsed := make(networks, len(list))
	for i, s := range list {
		if parsed[i], err = parseNetwork(s); err != nil {
			return nil, err
		}
	}
	return parsed, nil
}

func inCIDR(args []any) (any, error) {
	address, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	list, err := parseNetworks(args[1])
	if err != nil {
		return nil, err
	}
	return list.contains(address)
}

func bindCIDR(node *ast.CallNode) (any, []ast.Node, error) {
	v, ok := constant(node.Arguments[1])
	if !ok {
		return nil, nil, nil
	}
	list, err := parseNetworks(v)
	if err != nil {
		return nil, nil, err
	}
	fn := func(address string) bool {
		in, err := list.contains(address)
		if err != nil {
			panic(err)
		}
		return in
	}
	return fn, node.Arguments[:1], nil
}

func keysOf(args []any) (any, error) {
	m, err := mapArgument(args[0])
	return sortedKeys(m), err
}

func valuesOf(args []any) (any, error) {
	m, err := mapArgument(args[0])
	keys := sortedKeys(m)
	list := make([]any, len(keys))
	for i, k := range keys {
		list[i] = m[k]
	}
	return list, err
}

func mapArgument(v any) (map[string]any, error) {
	clean, why := sanitize(v, 0)
	if why != "" {
		return nil, failure(why)
	}
	m, ok := clean.(map[string]any)
	if !ok {
		return nil, failure("A map is needed here, but the value is " + phraseOf(v) + ".")
	}
	return m, nil
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func largest(args []any) (any, error) {
	return extreme(args, func(a, b float64) bool { return a > b })
}

func smallest(args []any) (any, error) {
	return extreme(args, func(a, b float64) bool { return a < b })
}

func extreme(args []any, better func(a, b float64) bool) (any, error) {
	if len(args) == 1 {
		if v := reflect.ValueOf(args[0]); v.Kind() == reflect.Slice {
			args = make([]any, v.Len())
			for i := range args {
				args[i] = v.Index(i).Interface()
			}
		}
	}
	var best any
	var value float64
	for _, a := range args {
		f, ok := toFloat(a)
		if !ok {
			return nil, failure("A number is needed here, but the value is " + phraseOf(a) + ".")
		}
		if best == nil || better(f, value) {
			best, value = a, f
		}
	}
	return best, nil
}

func mean(args []any) (any, error) {
	total, n := 0.0, 0.0
	err := eachNumber(args, func(f float64) { total, n = total+f, n+1 })
	return total / max(n, 1), err
}

func median(args []any) (any, error) {
	var list []float64
	err := eachNumber(args, func(f float64) { list = append(list, f) })
	if err != nil || len(list) == 0 {
		return 0.0, err
	}
	slices.Sort(list)
	middle := len(list) / 2
	if len(list)%2 == 1 {
		return list[middle], nil
	}
	return (list[middle-1] + list[middle]) / 2, nil
}

// eachNumber calls f with a number, or with all numbers in a list and the lists in it.
func eachNumber(value any, f func(float64)) error {
	if n, ok := toFloat(value); ok {
		f(n)
		return nil
	}
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return failure("A number is needed here, but the value is " + phraseOf(value) + ".")
	}
	for i := range list.Len() {
		if err := eachNumber(list.Index(i).Interface(), f); err != nil {
			return err
		}
	}
	return nil
}
