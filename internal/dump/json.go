package dump

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lineError is something that is wrong on a line of a file.
type lineError struct {
	line int
	err  error
}

func looksLikeJSON(text []byte) bool {
	rest, _ := withoutSeparator(document{text: text})
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == '[')
}

// withoutSeparator returns the text after a line "---", and its line.
func withoutSeparator(d document) ([]byte, int) {
	if line, next := lineAt(d.text, 0); isMarker(line, "---") && !hasContent(line[3:]) {
		return d.text[next:], d.line + 1
	}
	return d.text, d.line
}

// splitJSON cuts a stream of JSON values into objects and the items of lists.
// It keeps offsets and parses nothing, so that a list of all pods costs no
// memory besides its text. At an error it returns what was before it.
func splitJSON(text []byte, line int) ([]document, []lineError) {
	s := &jsonSplitter{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), lines: lineCounter{text: text, line: line}}
	for {
		err := s.value()
		if errors.Is(err, io.EOF) {
			return s.documents, nil
		}
		if err != nil {
			offset := s.decoder.InputOffset()
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				offset = syntax.Offset
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				offset = int64(len(text))
				err = errors.New("the JSON text ends in the middle of a value")
			}
			counter := lineCounter{text: text, line: line}
			return s.documents, []lineError{{counter.at(offset - 1), err}}
		}
	}
}

type jsonSplitter struct {
	text      []byte
	decoder   *json.Decoder
	lines     lineCounter
	documents []document
	raw       json.RawMessage
}

// value reads one value of the stream.
func (s *jsonSplitter) value() error {
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return inside(s.object())
	case json.Delim('['):
		items, err := s.elements()
		s.documents = append(s.documents, items...)
		return inside(err)
	case nil:
		return nil
	default:
		return fmt.Errorf("%v is not an object", token)
	}
}

// inside makes the end of the text an error where a value is open.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// object reads the rest of an object whose brace was read.
func (s *jsonSplitter) object() error {
	start := s.decoder.InputOffset() - 1
	startLine := s.lines.at(start)
	var header metav1.TypeMeta
	var items []document
	var hasItems bool
	var name string
	err := func() error {
		for s.decoder.More() {
			key, err := s.decoder.Token()
			if err != nil {
				return err
			}
			if key == "items" && s.next() == '[' {
				if _, err := s.decoder.Token(); err != nil {
					return err
				}
				hasItems = true
				if items, err = s.elements(); err != nil {
					return err
				}
				continue
			}
			if err := s.decoder.Decode(&s.raw); err != nil {
				return err
			}
			switch key {
			case "apiVersion":
				_ = json.Unmarshal(s.raw, &header.APIVersion)
			case "kind":
				_ = json.Unmarshal(s.raw, &header.Kind)
			case "metadata":
				var metadata struct{ Name string }
				_ = json.Unmarshal(s.raw, &metadata)
				name = metadata.Name
			}
		}
		_, err := s.decoder.Token()
		return err
	}()
	if hasItems && (err != nil || isList(header, name)) {
		for i := range items {
			items[i].inherited = itemKind(header)
		}
		s.documents = append(s.documents, items...)
		return err
	}
	if err == nil {
		s.documents = append(s.documents, document{text: s.text[start:s.decoder.InputOffset()], line: startLine, isJSON: true})
	}
	return err
}

// elements reads the rest of an array whose bracket was read.
func (s *jsonSplitter) elements() ([]document, error) {
	var items []document
	for s.decoder.More() {
		if err := s.decoder.Decode(&s.raw); err != nil {
			return items, err
		}
		end := s.decoder.InputOffset()
		start := end - int64(len(s.raw))
		items = append(items, document{text: s.text[start:end], line: s.lines.at(start), isJSON: true})
	}
	_, err := s.decoder.Token()
	return items, err
}

// next is the first byte of the value that comes next.
func (s *jsonSplitter) next() byte {
	rest := bytes.TrimLeft(s.text[s.decoder.InputOffset():], " \t\r\n:")
	if len(rest) == 0 {
		return 0
	}
	return rest[0]
}

// lineCounter tells the line of offsets, which must not go down.
type lineCounter struct {
	text   []byte
	offset int
	line   int
}

func (c *lineCounter) at(offset int64) int {
	to := min(max(int(offset), c.offset), len(c.text))
	c.line += bytes.Count(c.text[c.offset:to], []byte{'\n'})
	c.offset = to
	return c.line
}
