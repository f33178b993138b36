// Command truth brings recordings of real control planes into the repository:
// it writes the archives that test/truth reads from a directory of them.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/extant-project/extant/test/truth"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "truth: %v\n", err)
		os.Exit(1)
	}
}

// archives are what is written, and how.
var archives = []struct {
	name  string
	write func(io.Writer, fs.FS) error
	// from is the part of the recordings it is written from.
	from string
}{
	{"requests.jsonl.gz", truth.Write, "request"},
	{"outages.jsonl.gz", truth.WriteOutages, "."},
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: truth RECORDINGS DIRECTORY, where RECORDINGS has the directories request, outage and incidents")
	}
	for _, archive := range archives {
		var text bytes.Buffer
		if err := archive.write(&text, os.DirFS(filepath.Join(args[0], archive.from))); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[1], archive.name), text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
