package hostfs

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxProgram is how large a program may be to be read, in bytes.
	maxProgram = 1 << 30
	// chunk is how much of a program is read at once, in bytes.
	chunk = 64 << 10
)

// Program is what the file of a program says of it.
type Program struct {
	// SHA256 is the digest of the file, in hexadecimal.
	SHA256 string
	// Version is what the program was built as, where its file tells.
	Version string
}

// Programs reads programs, each once for as long as its file stays the same,
// and all of them no faster than so many bytes a second. It is not safe for
// concurrent use.
type Programs struct {
	root    *Root
	limiter *rate.Limiter
	// read has what was asked for since the last Forget, before what was asked
	// for before.
	read, before map[identity]Program
}

// identity changes whenever a file does.
type identity struct {
	path              string
	device, inode     uint64
	size              int64
	modified, changed time.Time
}

// NewPrograms reads programs below a root.
func NewPrograms(root *Root, bytesPerSecond int) *Programs {
	return &Programs{
		root: root, limiter: rate.NewLimiter(rate.Limit(bytesPerSecond), max(bytesPerSecond, chunk)),
		read: map[identity]Program{}, before: map[identity]Program{},
	}
}

// Forget drops what was not asked for since the last time.
func (p *Programs) Forget() {
	p.read, p.before = map[identity]Program{}, p.read
}

// Read reads the program at a path of the node.
func (p *Programs) Read(ctx context.Context, name string) (Program, error) {
	file, err := p.root.open(name)
	if err != nil {
		return Program{}, err
	}
	defer file.Close()
	id, err := identify(file)
	if err != nil {
		return Program{}, fmt.Errorf("could not read %s: %w", name, err)
	}
	for _, known := range []map[identity]Program{p.read, p.before} {
		if program, ok := known[id]; ok {
			p.read[id] = program
			return program, nil
		}
	}
	if id.size > maxProgram {
		return Program{}, fmt.Errorf("could not read %s: %w", name, ErrTooLarge)
	}
	program, err := p.digest(ctx, file)
	if err != nil {
		return Program{}, fmt.Errorf("could not read %s: %w", name, err)
	}
	if after, err := identify(file); err != nil || after != id {
		return Program{}, fmt.Errorf("could not read %s: %w", name, errors.Join(err, errors.New("it changes")))
	}
	p.read[id] = program
	return program, nil
}

func (p *Programs) digest(ctx context.Context, file *os.File) (Program, error) {
	hash, buffer := sha256.New(), make([]byte, chunk)
	for {
		n, err := file.Read(buffer)
		if n > 0 {
			_, _ = hash.Write(buffer[:n])
			if err := p.limiter.WaitN(ctx, n); err != nil {
				return Program{}, err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Program{}, err
		}
	}
	program := Program{SHA256: hex.EncodeToString(hash.Sum(nil))}
	if info, err := buildinfo.Read(file); err == nil {
		program.Version = version(info)
	}
	return program, nil
}

func identify(file *os.File) (identity, error) {
	info, err := file.Stat()
	if err != nil {
		return identity{}, err
	}
	id := identity{path: file.Name(), size: info.Size(), modified: info.ModTime()}
	id.device, id.inode, id.changed = inode(info)
	return id, nil
}

// Executable tells whether a file is one that somebody may run.
func Executable(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
