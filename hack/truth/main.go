// Command truth brings recordings of real control planes into the repository:
// it writes the archive that test/truth reads from a directory of them.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/extant-project/extant/test/truth"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "truth: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: truth RECORDINGS ARCHIVE, where RECORDINGS is a directory with cluster.json and scenarios")
	}
	var archive bytes.Buffer
	if err := truth.Write(&archive, os.DirFS(args[0])); err != nil {
		return err
	}
	return os.WriteFile(args[1], archive.Bytes(), 0o644)
}
