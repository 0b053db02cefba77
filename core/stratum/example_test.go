package stratum_test

import (
	"fmt"

	"github.com/loka-proxy/loka/core/stratum"
)

func Example() {
	line := []byte(`{"method": "mining.submit", "params": ["john.test", "5f", "00000001", "65f1a2b3", "9a8b7c6d"], "id":4}`)
	var m stratum.Message
	if err := stratum.Scan(line, &m); err != nil {
		fmt.Println(err)
		return
	}
	submit, ok := stratum.ParseSubmit(line, m.Params)
	if !ok {
		return
	}
	worker := stratum.AppendString(nil, "account.john_test")
	fmt.Printf("%s\n", stratum.Apply(nil, line, []stratum.Edit{{Span: submit.Worker, Text: worker}}))
	// Output: {"method": "mining.submit", "params": ["account.john_test", "5f", "00000001", "65f1a2b3", "9a8b7c6d"], "id":4}
}
