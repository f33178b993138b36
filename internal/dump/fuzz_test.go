package dump

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// FuzzReadStream looks for input that ends the program, and for gaps that do
// not say where.
func FuzzReadStream(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		contents, err := ReadStream("x", bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, gap := range contents.Snapshot().Gaps() {
			if gap.Reason == "Malformed" && !strings.HasPrefix(gap.Message, "x:") && !strings.Contains(gap.Message, " more ") {
				t.Errorf("got the gap %v", gap)
			}
		}
	})
}
