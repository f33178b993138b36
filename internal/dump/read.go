package dump

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

const (
	// maxFileSize is the size of a file above which it is not read.
	maxFileSize = 256 << 20
	// chunkSize is how many documents are parsed at a time by one of the
	// workers.
	chunkSize = 64
	// binaryPrefix is how much of a file is looked at to tell whether it is
	// text.
	binaryPrefix = 8 << 10
)

// Read reads the dump in a tree of files: each .yaml, .yml and .json file in
// order of the names, without those whose name, or folder's name, starts with
// a dot.
func Read(tree fs.FS) (*Contents, error) {
	r := newReading()
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			r.unreadable(name, err)
			return nil
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || !isDocumentFile(name):
			return nil
		}
		r.open(tree, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r.contents(), nil
}

// ReadStream reads a dump from one stream of documents, or from an archive of
// files. The name is what gaps call the stream, or the folder of the archive.
func ReadStream(name string, stream io.Reader) (*Contents, error) {
	r := newReading()
	buffered := bufio.NewReaderSize(stream, 1<<10)
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		buffered = bufio.NewReaderSize(unzipped, 1<<10)
	}
	if header, _ := buffered.Peek(262); len(header) == 262 && string(header[257:]) == "ustar" {
		return readArchive(r, tar.NewReader(buffered))
	}
	if err := r.stream(name, buffered, 0); err != nil {
		return nil, err
	}
	return r.contents(), nil
}

// readArchive reads an archive, whose files may be in any order.
func readArchive(r *reading, archive *tar.Reader) (*Contents, error) {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return r.contents(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("the archive is damaged: %w", err)
		}
		name := strings.TrimPrefix(path.Clean(header.Name), "/")
		if header.Typeflag != tar.TypeReg || !isDocumentFile(name) || isHidden(name) {
			continue
		}
		if err := r.stream(name, archive, header.Size); err != nil {
			return nil, fmt.Errorf("the archive is damaged: %w", err)
		}
	}
}

func isDocumentFile(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	default:
		return false
	}
}

// isHidden tells whether a file, or a folder above it, starts with a dot:
// version control and the mounts of ConfigMaps have such.
func isHidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasPrefix(part, ".") })
}

// reading collects the parts of a dump while workers parse them.
type reading struct {
	parts   []*part
	workers errgroup.Group
	limit   int64
}

func newReading() *reading {
	r := &reading{limit: maxFileSize}
	// Waiting for a free worker bounds the texts that are held.
	r.workers.SetLimit(runtime.GOMAXPROCS(0))
	return r
}

func (r *reading) open(tree fs.FS, name string) {
	info, err := fs.Stat(tree, name)
	if err != nil {
		r.unreadable(name, err)
		return
	}
	if !info.Mode().IsRegular() {
		return
	}
	if info.Size() > r.limit {
		r.tooLarge(name)
		return
	}
	file, err := tree.Open(name)
	if err != nil {
		r.unreadable(name, err)
		return
	}
	defer func() { _ = file.Close() }()
	if err := r.stream(name, file, info.Size()); err != nil {
		r.unreadable(name, err)
	}
}

// stream reads a file. The size is a hint.
func (r *reading) stream(name string, from io.Reader, size int64) error {
	var text bytes.Buffer
	if size > 0 && size <= r.limit {
		text.Grow(int(size) + bytes.MinRead)
	}
	if _, err := text.ReadFrom(io.LimitReader(from, r.limit+1)); err != nil {
		return err
	}
	if int64(text.Len()) > r.limit {
		r.tooLarge(name)
		return nil
	}
	r.parse(name, text.Bytes())
	return nil
}

// parse hands the documents of a file to the workers.
func (r *reading) parse(name string, text []byte) {
	if !isText(text) {
		r.note(name, "it is not text")
		return
	}
	documents, troubles := split(text, path.Ext(name) == ".json")
	for chunk := range slices.Chunk(documents, chunkSize) {
		p := &part{file: name}
		r.parts = append(r.parts, p)
		r.workers.Go(func() error {
			for _, d := range chunk {
				p.add(d)
			}
			return nil
		})
	}
	p := &part{file: name}
	for _, t := range troubles {
		p.troubleAt(dumpItself, t.line, t.err)
	}
	r.parts = append(r.parts, p)
}

func isText(text []byte) bool {
	prefix := text[:min(len(text), binaryPrefix)]
	if len(prefix) == binaryPrefix {
		prefix = prefix[:binaryPrefix-utf8.UTFMax] // may end within a character
		for !utf8.RuneStart(text[len(prefix)]) {
			prefix = text[:len(prefix)+1]
		}
	}
	return !bytes.ContainsRune(prefix, 0) && utf8.Valid(prefix)
}

func (r *reading) tooLarge(name string) {
	r.note(name, fmt.Sprintf("it is larger than %d MiB", r.limit>>20))
}

func (r *reading) unreadable(name string, err error) {
	r.note(name, fmt.Sprintf("it could not be read: %s", reasonOf(err)))
}

func (r *reading) note(name, message string) {
	r.parts = append(r.parts, &part{file: name, troubles: []trouble{{dumpItself, name + ": " + message}}})
}

// contents waits for the workers and puts the parts together, those of files
// in order of their names.
func (r *reading) contents() *Contents {
	_ = r.workers.Wait()
	slices.SortStableFunc(r.parts, func(x, y *part) int {
		return slices.Compare(strings.Split(x.file, "/"), strings.Split(y.file, "/"))
	})
	return assemble(r.parts)
}

// reasonOf is an error without the operation and the path, which the sentence
// around it names.
func reasonOf(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
