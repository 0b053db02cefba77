package policy

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTopicsFitATerminal looks at the lines of all topics.
func TestTopicsFitATerminal(t *testing.T) {
	for _, topic := range Topics() {
		text := topic.Text()
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > lineWidth || strings.TrimRight(line, " ") != line {
				t.Errorf("%s has the line %q", topic.Name, line)
			}
		}
		if strings.Count(text, "\n") < 20 {
			t.Errorf("%s has nothing to say:\n%s", topic.Name, text)
		}
	}
}

// everyBlock calls f with every type of block that there is.
func everyBlock(f func(*blockType)) {
	var seen []*blockType
	var walk func(*blockType)
	walk = func(b *blockType) {
		if slices.Contains(seen, b) {
			return
		}
		seen = append(seen, b)
		f(b)
		for _, inner := range b.blocks {
			walk(inner)
		}
	}
	walk(testFileBlock)
	walk(policyBlock)
	for _, b := range sinkBlocks {
		walk(b)
	}
}

// TestBlocksAreDescribed makes sure that the reference has everything, in words.
func TestBlocksAreDescribed(t *testing.T) {
	reference := Reference()
	everyBlock(func(b *blockType) {
		if b.doc == "" || !strings.Contains(reference, escaped(b.doc)) {
			t.Errorf("block %s is not described", b.name)
		}
		for _, a := range b.args {
			if a.doc == "" || a.is == "" || !strings.Contains(reference, "| `"+a.name+"` |") {
				t.Errorf("argument %s of %s is not described", a.name, b.name)
			}
			if a.fallback != nil && a.required || a.is == isNumber && a.most == 0 {
				t.Errorf("argument %s of %s contradicts itself: %+v", a.name, b.name, a)
			}
		}
	})
	for name := range functionDocs() {
		if docs := functionDocs()[name]; docs[1] == "" || strings.Contains(docs[1], "tuple") {
			t.Errorf("function %s: %q", name, docs)
		}
	}
	for name := range functions.Functions {
		if functionDocs()[name] == nil {
			t.Errorf("function %s is not described", name)
		}
	}
}

// setting is an argument in the table of README, with its default if one is named.
var setting = regexp.MustCompile("`([a-z_0-9]+)`(?: (\"[^\"]+\"|[0-9]+))?")

// TestREADMESettings holds the table of README against the blocks.
func TestREADMESettings(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| block | settings |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	blocks := map[string]*blockType{
		"`pool`": poolBlock, "`health_check`": healthBlock, "`server`": serverBlock, "`proxy`": proxyBlock,
		"`listener \"tcp\"`": listenerBlock, "`admin`": adminBlock, "`log`": logBlock, "top level": policyBlock,
	}
	rows := strings.Split(table, "\n")[1:]
	if len(rows) != len(blocks) {
		t.Errorf("README has %d blocks in its table", len(rows))
	}
	for _, row := range rows {
		cells := strings.Split(row, " | ")
		b := blocks[strings.TrimPrefix(cells[0], "| ")]
		if b == nil {
			t.Fatalf("README has a block that this test does not know: %s", row)
		}
		told := map[string]bool{}
		for _, found := range setting.FindAllStringSubmatch(cells[1], -1) {
			told[found[1]] = true
			if want := b.arg(found[1]).absent(); found[2] != "" && found[2] != want {
				t.Errorf("README says %s, and the default is %s", found[0], want)
			}
		}
		for _, a := range b.args {
			if !told[a.name] && !strings.Contains(a.doc, "acted on yet") && a.name != "for_each" && a.name != "include" {
				t.Errorf("README does not have %s of %s", a.name, b.name)
			}
		}
	}
}
