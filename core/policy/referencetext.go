package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Reference gives the whole reference as Markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Reference of the policy language\n\nMade from the tables that policies are read and compiled by. `loka help topics` shows the same in a terminal.\n")
	for _, t := range Topics() {
		fmt.Fprintf(&b, "\n## %s\n", t.Title)
		for _, s := range t.sections {
			s.markdown(&b)
		}
	}
	return b.String()
}

func (s *section) markdown(b *strings.Builder) {
	if s.title != "" {
		fmt.Fprintf(b, "\n### %s\n", s.title)
	}
	for _, paragraph := range s.text {
		fmt.Fprintf(b, "\n%s\n", escaped(paragraph))
	}
	if s.code != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", s.code)
	}
	if len(s.rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s |\n|%s\n", strings.Join(s.head, " | "), strings.Repeat("---|", len(s.head)))
	for _, row := range s.rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = markdownCell(s.head[i], cell)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

// markdownCell writes code as code.
func markdownCell(head, cell string) string {
	cell = strings.ReplaceAll(cell, "|", "\\|")
	switch head {
	case "name", "argument", "function", "block", "example":
		if cell != "" && !strings.HasPrefix(cell, "a ") {
			return "`" + cell + "`"
		}
		return cell
	}
	return escaped(cell)
}

// escaped keeps Markdown from reading a * or a _ as emphasis.
func escaped(text string) string { return strings.NewReplacer("*", "\\*", "_", "\\_").Replace(text) }

// lineWidth is the longest line of a topic in a terminal.
const lineWidth = 100

// Text gives the topic for a terminal, in lines of 100 columns at most.
func (t Topic) Text() string {
	var b strings.Builder
	for i, s := range t.sections {
		if i > 0 {
			b.WriteString("\n")
		}
		s.plain(&b)
	}
	return b.String()
}

func (s *section) plain(b *strings.Builder) {
	parts := 0
	part := func() {
		if parts > 0 {
			b.WriteString("\n")
		}
		parts++
	}
	if s.title != "" {
		fmt.Fprintf(b, "%s\n", s.title)
		parts++
	}
	for _, paragraph := range s.text {
		part()
		for _, line := range wrapped(paragraph, lineWidth) {
			b.WriteString(line + "\n")
		}
	}
	if s.code != "" {
		part()
		for line := range strings.Lines(s.code) {
			b.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
		}
	}
	if len(s.rows) > 0 {
		part()
		s.plainTable(b)
	}
}

// plainTable writes the rows under one another: each column as wide as it needs to be,
// and the last one, wrapped, in what is left. Where that is too little, the last column
// has lines of its own.
func (s *section) plainTable(b *strings.Builder) {
	const least = 36
	last := len(s.head) - 1
	widths, left := make([]int, last), 2
	for i := range widths {
		for _, row := range s.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		if widths[i] > 0 {
			left += widths[i] + 2
		}
	}
	for _, row := range s.rows {
		head := "  "
		for i, w := range widths {
			if w > 0 {
				head += row[i] + strings.Repeat(" ", w-utf8.RuneCountInString(row[i])+2)
			}
		}
		if lineWidth-left < least {
			s.tallRow(b, row)
			continue
		}
		for i, line := range wrapped(row[last], lineWidth-left) {
			if i > 0 {
				head = strings.Repeat(" ", left)
			}
			b.WriteString(strings.TrimRight(head+line, " ") + "\n")
		}
	}
}

// tallRow writes the first column with what is said of a value beside it, and the rest on
// lines of its own under it.
func (s *section) tallRow(b *strings.Builder, row []string) {
	first, rest := row[0], []string{}
	for i, cell := range row[1:] {
		switch head := s.head[i+1]; {
		case cell == "":
		case head == "value":
			first += ": " + cell
		case head == "without it" && cell == "must be given":
			first += "; " + cell
		case head == "without it":
			first += "; without it: " + cell
		case head == "what it can do":
			rest = append(rest, "It can: "+cell+".")
		default:
			rest = append(rest, cell)
		}
	}
	for i, line := range wrapped(first, lineWidth-6) {
		b.WriteString(strings.Repeat(" ", 2+4*min(i, 1)) + line + "\n")
	}
	for _, cell := range rest {
		for _, line := range wrapped(cell, lineWidth-6) {
			b.WriteString("      " + line + "\n")
		}
	}
}

// wrapped breaks a text into lines of at most so many characters.
func wrapped(text string, most int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > most:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
