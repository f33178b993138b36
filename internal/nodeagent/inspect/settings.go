package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/extant-project/extant/internal/nodeagent/nodeconfig"
)

// settings are what the node's configuration says about where plugins are,
// completed by defaults.
type settings struct {
	kubelet nodeconfig.Flags
	runtime nodeconfig.Runtime
	// The errors are of files that are there and could not be read: what hangs
	// on them is not known.
	kubeletError, runtimeError error
}

// kubeletCommandLines are where the kubelet's command line is put together, in
// the order in which its parts come.
var kubeletCommandLines = []string{
	"/usr/lib/systemd/system/kubelet.service",
	"/lib/systemd/system/kubelet.service",
	"/etc/systemd/system/kubelet.service",
	"/usr/lib/systemd/system/kubelet.service.d/",
	"/lib/systemd/system/kubelet.service.d/",
	"/etc/systemd/system/kubelet.service.d/",
	"/var/lib/kubelet/kubeadm-flags.env",
	"/etc/default/kubelet",
	"/etc/sysconfig/kubelet",
}

const (
	defaultContainerd = "/etc/containerd/config.toml"
	defaultCRIO       = "/etc/crio/crio.conf"
	// maxImports is how many files a runtime's configuration may have.
	maxImports = 64
)

func (l *look) readSettings() settings {
	var s settings
	s.kubelet, s.kubeletError = l.readKubeletFlags()
	s.runtime, s.runtimeError = l.readRuntimes()
	return s
}

func (l *look) readKubeletFlags() (nodeconfig.Flags, error) {
	flags := nodeconfig.Flags{}
	var errs []error
	for _, name := range kubeletCommandLines {
		files := []string{name}
		if strings.HasSuffix(name, "/") {
			var err error
			files, err = l.filesOf(name, ".conf")
			errs = append(errs, err)
		}
		for _, file := range files {
			data, err := l.optional(file)
			errs = append(errs, err)
			maps.Copy(flags, nodeconfig.ReadFlags(string(data)))
		}
	}
	return flags, errors.Join(errs...)
}

// readRuntimes reads the configuration of both runtimes. A node has one of
// them; of the other there are leftovers at most.
func (l *look) readRuntimes() (nodeconfig.Runtime, error) {
	crio, containerd := cmp.Or(l.paths.CRIO, defaultCRIO), cmp.Or(l.paths.Containerd, defaultContainerd)
	files, err := l.filesOf(crio+".d", ".conf")
	all, errs := nodeconfig.Runtime{}, []error{err}
	for _, file := range append([]string{crio}, files...) {
		_, err := l.mergeRuntime(&all, file, nodeconfig.ReadCRIO)
		errs = append(errs, err)
	}
	imports, err := l.mergeRuntime(&all, containerd, nodeconfig.ReadContainerd)
	errs = append(errs, err)
	if files, err = l.imported(path.Dir(containerd), imports); err != nil {
		errs = append(errs, err)
	}
	for _, file := range files {
		_, err := l.mergeRuntime(&all, file, nodeconfig.ReadContainerd)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// mergeRuntime adds a file, and returns which others it imports.
func (l *look) mergeRuntime(all *nodeconfig.Runtime, file string, read func([]byte) (nodeconfig.Runtime, error)) ([]string, error) {
	data, err := l.optional(file)
	if err != nil || data == nil {
		return nil, err
	}
	runtime, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all.Merge(runtime)
	return runtime.Imports, nil
}

// imported returns the files that patterns mean, which have asterisks in their
// last part at most.
func (l *look) imported(beside string, patterns []string) ([]string, error) {
	var files []string
	for _, pattern := range patterns {
		if !path.IsAbs(pattern) {
			pattern = path.Join(beside, pattern)
		}
		dir, last := path.Split(pattern)
		if !strings.ContainsAny(last, "*?[") {
			files = append(files, pattern)
			continue
		}
		entries, err := l.readDir(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if ok, err := path.Match(last, entry.Name()); ok && err == nil {
				files = append(files, path.Join(dir, entry.Name()))
			}
		}
	}
	if len(files) > maxImports {
		return nil, fmt.Errorf("%d files are imported, of which at most %d are read", len(files), maxImports)
	}
	return files, nil
}

// filesOf returns the files of a directory that end like this, in order.
func (l *look) filesOf(dir string, endings ...string) ([]string, error) {
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if !entry.IsDir() && slices.Contains(endings, path.Ext(entry.Name())) {
			files = append(files, path.Join(dir, entry.Name()))
		}
	}
	return files, nil
}

// optional reads a file that nodes may be without: then it returns nil.
func (l *look) optional(file string) ([]byte, error) {
	data, err := l.readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
