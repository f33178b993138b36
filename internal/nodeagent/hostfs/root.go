// Package hostfs reads a node's files from a container in which the node's root
// directory, or parts of it, are mounted. Paths are those of the node; links are
// followed as the node follows them, absolute ones too, and never lead out of
// the root. Whatever is read is bounded. It tells programs by what their file
// says and never runs one.
package hostfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxEntries is how many files of a directory are looked at.
	maxEntries = 4096
	// maxLinks is how many links a path may lead through, as in Linux.
	maxLinks = 40
)

// ErrTooLarge is that of files and directories that are larger than is read.
var ErrTooLarge = errors.New("larger than is read")

// Root is the root directory of a node.
type Root struct {
	root *os.Root
	dir  string
}

// Open returns the root that is mounted at dir.
func Open(dir string) (*Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("could not open the root of the host: %w", err)
	}
	return &Root{root: root, dir: dir}, nil
}

// Close closes the root.
func (r *Root) Close() error {
	return r.root.Close()
}

// Resolve returns the path without links and dots, on the node. Its error is
// fs.ErrNotExist where nothing is there.
func (r *Root) Resolve(name string) (string, error) {
	done, todo := "/", strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		info, err := r.root.Lstat(within(next))
		if err != nil {
			return "", fmt.Errorf("could not find %s: %w", name, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("could not find %s: %w", name, syscall.ELOOP)
		}
		target, err := r.root.Readlink(within(next))
		if err != nil {
			return "", fmt.Errorf("could not find %s: %w", name, err)
		}
		if path.IsAbs(target) {
			done = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return done, nil
}

// Mounted returns where a path of the node, which must be without links, is in
// this process's own file system.
func (r *Root) Mounted(name string) string {
	return path.Join(r.dir, within(name))
}

// ReadFile reads a regular file, which may have so many bytes at most.
func (r *Root) ReadFile(name string, most int64) ([]byte, error) {
	file, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("could not read %s: %w", name, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("could not read %s: %w", name, ErrTooLarge)
	}
	return data, nil
}

// ReadDir returns what a directory has, ordered by name. A directory of more
// than 4096 entries is an error.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	resolved, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	dir, err := r.root.OpenFile(within(resolved), os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("could not read %s: %w", name, err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("could not read %s: %w", name, err)
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("could not read %s: %w", name, ErrTooLarge)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat describes what is at a path, with links followed.
func (r *Root) Stat(name string) (fs.FileInfo, error) {
	resolved, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := r.root.Lstat(within(resolved))
	if err != nil {
		return nil, fmt.Errorf("could not find %s: %w", name, err)
	}
	return info, nil
}

// open opens a regular file. Anything else could block or act when it is
// opened, and is refused before; what is swapped in between is refused after.
func (r *Root) open(name string) (*os.File, error) {
	resolved, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := r.root.Lstat(within(resolved))
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("no regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("could not open %s: %w", name, err)
	}
	file, err := r.root.OpenFile(within(resolved), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("could not open %s: %w", name, err)
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errors.New("no regular file")
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("could not open %s: %w", name, err)
	}
	return file, nil
}

// within makes a path of the node one that os.Root takes.
func within(name string) string {
	if name = strings.TrimLeft(name, "/"); name == "" {
		return "."
	}
	return name
}
