package ruletest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// JUnit collects what came of tests as JUnit's XML: a suite for each file.
type JUnit struct {
	suites []*junit.Testsuite
	spent  []time.Duration
}

// Result adds what came of one test.
func (j *JUnit) Result(r *Result) {
	n := len(j.suites) - 1
	if n < 0 || j.suites[n].Name != r.Test.File {
		n++
		j.suites = append(j.suites, &junit.Testsuite{Name: r.Test.File, File: r.Test.File, ID: n})
		j.spent = append(j.spent, 0)
	}
	tc := junit.Testcase{Name: printable(visible(r.veil().text(r.Test.Name))), Classname: r.Test.File, Time: seconds(r.Elapsed)}
	switch {
	case r.Err != nil:
		tc.Error = &junit.Result{Message: "could not be run", Data: printable(Told(r))}
	case !r.Passed():
		tc.Failure = &junit.Result{Message: "not as expected", Data: printable(Told(r))}
	}
	j.suites[n].AddTestcase(tc)
	j.spent[n] += r.Elapsed
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// printable replaces what no XML may hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || r == 0xfffe || r == 0xffff) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// Write writes all of it.
func (j *JUnit) Write(w io.Writer) error {
	all := junit.Testsuites{Name: "loka rules test"}
	var total time.Duration
	for i, suite := range j.suites {
		suite.Time = seconds(j.spent[i])
		total += j.spent[i]
		all.AddSuite(*suite)
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	return all.WriteXML(w)
}
