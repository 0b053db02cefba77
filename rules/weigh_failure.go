package rules

import "github.com/expr-lang/expr/ast"

// A failure costs too, and a miner can bring about one in every rule. A rule fails once
// for a message, whichever of its expressions it is.
var (
	readFailure    = weight{200, 256}  // a name has another type than its own
	machineFailure = weight{2000, 768} // the machine panics, recovers and says why
)

// failureOf gives what a failure of a checked expression costs at worst.
func failureOf(root ast.Node, uses []use) weight {
	if ast.Find(root, mayFail) != nil {
		return machineFailure
	}
	if len(uses) > 0 {
		return readFailure
	}
	return weight{}
}

// mayFail reports whether a node can fail once the values in it are there.
func mayFail(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.NilNode, *ast.IdentifierNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode, *ast.ArrayNode:
		return false
	case *ast.ConditionalNode:
		return n.Cond.Type() != boolType
	case *ast.UnaryNode:
		return n.Node.Type() != boolType
	case *ast.BinaryNode:
		return operatorMayFail(n)
	}
	return true
}

func operatorMayFail(n *ast.BinaryNode) bool {
	switch n.Operator {
	case "==", "!=", "??":
		return false
	case "and", "&&", "or", "||":
		return n.Left.Type() != boolType || n.Right.Type() != boolType
	case "startsWith", "endsWith", "contains", "matches", "+":
		return n.Left.Type() != stringType || n.Right.Type() != stringType
	case "<", ">", "<=", ">=":
		return !isNumber(n.Left) || !isNumber(n.Right)
	case "in":
		_, known := constant(n.Right)
		return !known
	}
	return true
}
