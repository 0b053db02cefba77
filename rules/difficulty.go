package rules

import "github.com/expr-lang/expr/ast"

// A share below the pool's difficulty is one that the pool refuses. So a rule may
// raise the difficulty that the pool sets, never lower it, and that must be plain from
// the rule's own text; the machine checks the number once more.

const setDifficulty = "mining.set_difficulty"

const lowDifficulty = "A difficulty below the pool's makes shares that the pool refuses, so a rule may only raise it, and that must be plain from the rule. " +
	"Any of these is:\n\n" +
	"    difficulty = \"max(difficulty, var.floor)\"\n" +
	"    when = \"difficulty < var.floor\" with difficulty = \"var.floor\"\n" +
	"    difficulty = \"difficulty * 2\""

// provablyHigher reports whether a value can be no lower than the difficulty that the
// rule sees. when may be nil.
func provablyHigher(value, when ast.Node) bool {
	switch n := value.(type) {
	case *ast.IdentifierNode:
		return isDifficulty(n)
	case *ast.CallNode:
		if isMaximum(n) {
			return true
		}
	case *ast.BinaryNode:
		if raisedBy(n.Operator, n.Left, n.Right) || raisedBy(n.Operator, n.Right, n.Left) {
			return true
		}
	}
	return when != nil && guarded(when, value.String())
}

func isDifficulty(n ast.Node) bool {
	id, ok := n.(*ast.IdentifierNode)
	return ok && id.Value == "difficulty"
}

func isMaximum(n *ast.CallNode) bool {
	if callee, ok := n.Callee.(*ast.IdentifierNode); !ok || callee.Value != "max" {
		return false
	}
	for _, arg := range n.Arguments {
		if isDifficulty(arg) {
			return true
		}
	}
	return false
}

// raisedBy knows difficulty times 1 or more, and plus 0 or more.
func raisedBy(operator string, n, by ast.Node) bool {
	if !isDifficulty(n) {
		return false
	}
	v, ok := constant(by)
	if !ok {
		return false
	}
	f, ok := toFloat(v)
	return ok && (operator == "*" && f >= 1 || operator == "+" && f >= 0)
}

// guarded reports whether a condition holds only where the difficulty is no more than
// the value, which is compared by its text.
func guarded(condition ast.Node, value string) bool {
	n, ok := condition.(*ast.BinaryNode)
	if !ok {
		return false
	}
	switch n.Operator {
	case "and", "&&":
		return guarded(n.Left, value) || guarded(n.Right, value)
	case "<", "<=":
		return isDifficulty(n.Left) && n.Right.String() == value
	case ">", ">=":
		return isDifficulty(n.Right) && n.Left.String() == value
	}
	return false
}

// belowPool compares a new difficulty with the one in the message, as the pool sent it.
func belowPool(msg *Message, value any) bool {
	if len(msg.Params) == 0 {
		return false
	}
	given, why := numberValue.read(msg.Params[0], 0)
	if why != "" {
		return true
	}
	old, _ := toFloat(given)
	f, ok := toFloat(value)
	return !ok || f < old
}
