package dump

import (
	"bytes"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// document is the text of one object. Files are cut into documents before
// anything is parsed, so that a malformed one costs no other, and memory is
// needed for one object at a time rather than for a list of all pods.
type document struct {
	// text is YAML or JSON.
	text []byte
	// line is the line of the file on which the text starts, from 1.
	line int
	// isJSON tells that the text is JSON already.
	isJSON bool
	// isItem tells that the text is one entry of a YAML sequence, with its dash.
	isItem bool
	// inherited is the kind that the items of a typed list lack.
	inherited metav1.TypeMeta
}

// split cuts the text of a file. Trouble that ends the reading of the file, or
// of a part of it, is returned with the line.
func split(text []byte, isJSON bool) ([]document, []lineError) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if isJSON {
		return splitJSON(text, 1)
	}
	var documents []document
	var troubles []lineError
	for d := range splitYAML(text) {
		if looksLikeJSON(d.text) {
			if fromJSON, errs := splitJSON(withoutSeparator(d)); errs == nil || len(fromJSON) > 0 {
				documents = append(documents, fromJSON...)
				troubles = append(troubles, errs...)
				continue
			}
			// A YAML mapping in braces, or broken: the YAML parser will say.
		}
		documents = append(documents, splitItems(d)...)
	}
	return documents, troubles
}

// splitYAML yields the documents of a YAML stream that have any content. It
// goes by the lines: no separator can be inside of a document, whatever quotes
// and blocks are open.
func splitYAML(text []byte) func(func(document) bool) {
	return func(yield func(document) bool) {
		start, startLine, content := 0, 1, false
		emit := func(end int) bool {
			return !content || yield(document{text: text[start:end], line: startLine})
		}
		number := 0
		for from := 0; from < len(text); {
			line, next := lineAt(text, from)
			number++
			switch {
			case isMarker(line, "---"):
				if !emit(from) {
					return
				}
				start, startLine, content = from, number, hasContent(line[3:])
			case isMarker(line, "..."):
				if !emit(from) {
					return
				}
				start, startLine, content = next, number+1, false
			default:
				content = content || (hasContent(line) && line[0] != '%')
			}
			from = next
		}
		emit(len(text))
	}
}

// splitItems cuts a YAML list into its items, again by the lines: an entry of
// the sequence starts with a dash in the column of the first one, and ends
// where a line is not deeper than that. A document that is not laid out like
// that is returned whole.
func splitItems(d document) []document {
	begin, beginLine := findItems(d)
	if begin < 0 || hasAliases(d.text) {
		return []document{d}
	}
	var items []document
	column := -1
	end, number := begin, beginLine
	for end < len(d.text) {
		line, next := lineAt(d.text, end)
		if hasContent(line) {
			indent := len(line) - len(bytes.TrimLeft(line, " "))
			isEntry := isMarker(line[indent:], "-")
			if column < 0 && isEntry {
				column = indent
			}
			if indent < column || column < 0 || (indent == column && !isEntry) {
				break
			}
			if indent == column {
				items = append(items, document{text: d.text[end:end], line: number, isItem: true})
			}
		}
		if len(items) > 0 {
			item := &items[len(items)-1]
			item.text = item.text[:len(item.text)+next-end]
		}
		end = next
		number++
	}
	header, ok := listHeader(d.text[:begin], d.text[end:])
	if !ok || len(items) == 0 {
		return []document{d}
	}
	for i := range items {
		items[i].inherited = header
	}
	return items
}

// findItems returns where the line after "items:" starts, and its number.
func findItems(d document) (offset, line int) {
	number := d.line
	for from := 0; from < len(d.text); number++ {
		text, next := lineAt(d.text, from)
		if rest, ok := bytes.CutPrefix(text, []byte("items:")); ok {
			if hasContent(rest) {
				return -1, 0
			}
			return next, number + 1
		}
		from = next
	}
	return -1, 0
}

var (
	anchor = regexp.MustCompile(`[:\-,\[]\s+&[A-Za-z0-9_]`)
	alias  = regexp.MustCompile(`[:\-,\[]\s+\*[A-Za-z0-9_]`)
)

// hasAliases tells whether items may refer to each other.
func hasAliases(text []byte) bool {
	return bytes.Contains(text, []byte(" &")) && bytes.Contains(text, []byte(" *")) &&
		anchor.Match(text) && alias.Match(text)
}

// listHeader reads what is around the items of a list, and returns the kind
// that they inherit. It is false for what is not a list.
func listHeader(before, after []byte) (metav1.TypeMeta, bool) {
	// Before ends with the line "items:", which has no value now.
	data, err := yaml.YAMLToJSON(append(append([]byte{}, before...), after...))
	if err != nil {
		return metav1.TypeMeta{}, false
	}
	var header struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	if err := utiljson.Unmarshal(data, &header); err != nil || !isList(header.TypeMeta, header.Metadata.Name) {
		return metav1.TypeMeta{}, false
	}
	return itemKind(header.TypeMeta), true
}

// isList tells lists from objects whose kind happens to end in "List": those
// have names.
func isList(list metav1.TypeMeta, name string) bool {
	return strings.HasSuffix(list.Kind, "List") && name == ""
}

// itemKind is the kind of the items of a typed list, which they may leave out.
func itemKind(list metav1.TypeMeta) metav1.TypeMeta {
	kind := strings.TrimSuffix(list.Kind, "List")
	if kind == "" {
		return metav1.TypeMeta{}
	}
	return metav1.TypeMeta{APIVersion: list.APIVersion, Kind: kind}
}

// lineAt returns the line that starts at an offset, without its end, and where
// the next one starts.
func lineAt(text []byte, from int) (line []byte, next int) {
	end := bytes.IndexByte(text[from:], '\n')
	if end < 0 {
		return text[from:], len(text)
	}
	return text[from : from+end], from + end + 1
}

// isMarker tells whether a line starts with a marker of YAML, which ends at a
// blank.
func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r')
}

// hasContent tells whether a line is more than blanks and a comment.
func hasContent(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r")
	return len(line) > 0 && line[0] != '#'
}

// contentLine is the line of a document on which its content starts.
func (d document) contentLine() int {
	number := d.line
	for from := 0; from < len(d.text); number++ {
		line, next := lineAt(d.text, from)
		if hasContent(line) && (!isMarker(line, "---") || hasContent(line[3:])) {
			return number
		}
		from = next
	}
	return d.line
}
