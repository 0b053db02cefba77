package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormat(t *testing.T) {
	const ugly = `variable "wallet" {
   default="37vu"   # paid
 type=string
}
proxy   "farm" {
      pool=pool.main
  request "mining.authorize" "x" {
    set {
      user = <<-EXPR
            let name =   user;
          var.wallet + "." +name
        EXPR
      password="'x'" // theirs
    }
}
}`
	const pretty = `variable "wallet" {
  default = "37vu" # paid
  type    = string
}
proxy "farm" {
  pool = pool.main
  request "mining.authorize" "x" {
    set {
      user     = <<-EXPR
            let name =   user;
          var.wallet + "." +name
        EXPR
      password = "'x'" // theirs
    }
  }
}`
	for name, test := range map[string]struct{ src, want string }{
		"values":     {"wallet=\"37vu\"\nlist = [ 1,2 ]\n", "wallet = \"37vu\"\nlist   = [1, 2]\n"},
		"nothing":    {"", ""},
		"policy":     {ugly, pretty},
		"quotes":     {"a=\"x   y ${  1+1 }\"\n", "a = \"x   y ${1 + 1}\"\n"},
		"line ends":  {"a=1\r\nbcd=2\r\n", "a   = 1\r\nbcd = 2\r\n"},
		"signs":      {"a=- 1\nb=1-1\n", "a = -1\nb = 1 - 1\n"},
		"two passes": {"a = [ # x\n1 ] # y\nlonger=2 # z\n", "a = [      # x\n1]         # y\nlonger = 2 # z\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, diags := Format([]byte(test.src), "loka.hcl")
			if diags.Len() > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("formatted (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFormatOurs holds the policies of this package to the layout.
func TestFormatOurs(t *testing.T) {
	for _, name := range []string{"testdata/house/loka.hcl", "testdata/farm/loka.hcl"} {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, diags := Format(src, name); diags.Len() > 0 || !bytes.Equal(got, src) {
			t.Errorf("%s: %v\n%s", name, diags, cmp.Diff(string(src), string(got)))
		}
	}
}

// TestFormatMistakes leaves alone what does not parse, and says what is wrong in the
// words of a load.
func TestFormatMistakes(t *testing.T) {
	const src = "proxy \"x\" {\n  request \"mining.submit\" \"r\" {\n when=\"user == \"x\"\"\n  }\n}\n"
	got, diags := Format([]byte(src), "loka.hcl")
	if string(got) != src {
		t.Errorf("it is now\n%s", got)
	}
	if text := show(t, diags); !strings.Contains(text, "Double quote inside a quoted expression") || !strings.Contains(text, "loka.hcl:3:") {
		t.Errorf("said:\n%s", text)
	}
	for name, src := range map[string]string{"deep": "a = " + strings.Repeat("[", 200), "text": "\xff", "large": strings.Repeat("#\n", 1<<19) + "a=1\n"} {
		if got, diags := Format([]byte(src), name); string(got) != src || !diags.HasErrors() {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// TestFormatSecrets breaks lines with secrets in them.
func TestFormatSecrets(t *testing.T) {
	for name, src := range map[string]string{
		"loka.hcl":      "variable \"pw\" {\n  sensitive = true\n  default = \"hun\"ter2\"\n}\n",
		"prod.vars.hcl": "pw = \"hun\"ter2\"\n",
	} {
		_, diags := Format([]byte(src), name)
		if text := show(t, diags); !diags.HasErrors() || strings.Contains(text, "hun") || strings.Contains(text, "ter2") {
			t.Errorf("%s: said:\n%s", name, text)
		}
	}
}

func FuzzFormat(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.hcl")
	if err != nil || len(names) == 0 {
		f.Fatal("no policies", err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, src := range []string{"a=1 # x\nbb=[#y\n1] # z\n", "\xef\xbb\xbfa=1", "a=<<-X\n  ${ 1 }\n X\n", "a=\"%{ if  true ~}x%{endif}\"", "a = x. 0.1", "a=b ?c:d", "a=!!b", "a=- - 1", "/* x */ a=1 /* y\n */\n"} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		once, diags := Format(src, "loka.hcl")
		if !sameTokens(lexed(src), lexed(once)) {
			t.Errorf("more than white space changed:\n%s", once)
		}
		twice, again := Format(once, "loka.hcl")
		if !bytes.Equal(once, twice) || diags.HasErrors() != again.HasErrors() {
			t.Errorf("formatted again it is\n%s\nand was\n%s", twice, once)
		}
	})
}
