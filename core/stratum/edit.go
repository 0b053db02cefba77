package stratum

// Edit puts Text in the place of Span. An edit of an empty range inserts.
type Edit struct {
	Span Span
	Text []byte
}

// Apply appends line to dst with the edits made; every other byte stays as it was. The edits are in ascending order
// and do not overlap. dst must not share memory with line.
func Apply(dst, line []byte, edits []Edit) []byte {
	from := int32(0)
	for _, e := range edits {
		dst = append(dst, line[from:e.Span.From]...)
		dst = append(dst, e.Text...)
		from = e.Span.To
	}
	return append(dst, line[from:]...)
}
