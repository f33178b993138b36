package dump

import (
	"embed"
	"io/fs"
)

//go:embed example
var example embed.FS

// Example is the dump of a small production cluster, which Extant observes
// where there is no other. Its README says what is in it.
func Example() fs.FS {
	tree, err := fs.Sub(example, "example")
	if err != nil {
		panic(err) // the name is a constant
	}
	return tree
}
