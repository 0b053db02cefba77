package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
)

// hash gives the first 12 hex digits of a SHA-256 over all that the policy was made
// from. Files are named as seen from the policy's directory, so that a copy of the
// directory elsewhere is the same policy.
func (l *loader) hash() string {
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range l.inputs.names {
		short, err := filepath.Rel(l.root, name)
		if err != nil {
			short = name
		}
		files[short] = l.inputs.contents[name]
	}
	for _, name := range sortedNames(files) {
		fmt.Fprintf(sum, "file %q %d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	for _, name := range sortedNames(l.variables) {
		value, err := json.Marshal(plain(l.variables[name].value))
		if err != nil {
			value = fmt.Append(nil, plain(l.variables[name].value))
		}
		fmt.Fprintf(sum, "variable %q %d\n", name, len(value))
		sum.Write(value)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
