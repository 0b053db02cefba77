package policy

import (
	"os"
	"strings"
	"testing"
)

func show(t *testing.T, ds Diagnostics) string {
	t.Helper()
	var b strings.Builder
	if err := ds.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTry(t *testing.T) {
	p, ds := Load("testdata/farm", Options{Settings: []Setting{{Var: "wallet=37vu"}}})
	t.Logf("%+v\n%s", p, show(t, ds))
	t.Chdir("testdata/house")
	p, ds = Load(".", Options{Settings: []Setting{{Var: "wallet=37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"}}})
	t.Logf("%+v\n%s", p, show(t, ds))
	if p != nil {
		for _, x := range p.Proxies {
			t.Logf("%+v", x)
		}
	}
	_ = os.Stdout
}
