// Package inspect finds the binary plugins of a node: it reads the node's files
// by hostfs, makes sense of them by nodeconfig, asks plugins by socket, and
// returns what a NodePluginReport has. One file a mechanism. It runs nothing,
// writes nothing, and waits for nothing longer than for one plugin's answer.
package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"path"
	"slices"

	"github.com/extant-project/extant/internal/nodeagent/hostfs"
	"github.com/extant-project/extant/internal/nodeagent/socket"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// Paths are where things are on the node. What is empty is where the node's
// own configuration says, or else where it is by default.
type Paths struct {
	// NetworkConfig is the directory of CNI configuration, NetworkPrograms are
	// those of its programs.
	NetworkConfig   string
	NetworkPrograms []string
	// Kubelet is the kubelet's own directory.
	Kubelet string
	// KubeletConfig is the file of its configuration.
	KubeletConfig string
	// FlexVolumes is the directory of FlexVolume drivers.
	FlexVolumes string
	// CredentialProviders is the file that names them, or a directory of such
	// files; CredentialPrograms is where their programs are.
	CredentialProviders, CredentialPrograms string
	// Containerd and CRIO are the files of the runtimes' configuration; beside
	// CRI-O's is a directory of more.
	Containerd, CRIO string
	// NRIPlugins is the directory of the plugins of container runtimes.
	NRIPlugins string
}

// Found is what was found on a node.
type Found struct {
	// Plugins are ordered by type, name and path.
	Plugins []v1alpha1.NodePlugin
	// Problems are what could not be seen, in order and for people to read.
	Problems []string
	// Watch are the directories in which a change would change the answer, in
	// this process's own file system and in order.
	Watch []string
}

// Inspector finds the plugins of one node, again and again. It is not safe for
// concurrent use.
type Inspector struct {
	root     *hostfs.Root
	programs *hostfs.Programs
	paths    Paths
	// before is what each mechanism last found.
	before map[string][]v1alpha1.NodePlugin
	// registered is what plugins said at the sockets of their registration.
	registered map[string]socket.Registration
}

// New returns an inspector of the node with this root.
func New(root *hostfs.Root, programs *hostfs.Programs, paths Paths) *Inspector {
	return &Inspector{
		root: root, programs: programs, paths: paths,
		before: map[string][]v1alpha1.NodePlugin{}, registered: map[string]socket.Registration{},
	}
}

// mechanism is one way in which plugins take part. It returns an error where it
// could not see at all.
type mechanism struct {
	name string
	find func(*look) ([]v1alpha1.NodePlugin, error)
}

var mechanisms = []mechanism{
	{"CNI", findNetworkPlugins},
	{"registered plugins", findRegistered},
	{"device plugins", findDevicePlugins},
	{"FlexVolume drivers", findFlexVolumes},
	{"credential providers", findCredentialProviders},
	{"runtime handlers", findRuntimeHandlers},
	{"NRI plugins", findNRIPlugins},
}

const (
	// maxPlugins is how many a report has.
	maxPlugins = 512
	// maxWatched is how many directories are watched.
	maxWatched = 256
	// maxConfig is how large a file of configuration may be, in bytes.
	maxConfig = 1 << 20
)

// look is one look at a node.
type look struct {
	*Inspector
	ctx      context.Context
	settings settings
	problems map[string]bool
	watch    map[string]bool
	// plugins are asked at most once in a look, and so many of them.
	asked int
}

// Look finds what is there now. An error means that the context has ended.
func (i *Inspector) Look(ctx context.Context) (Found, error) {
	l := &look{Inspector: i, ctx: ctx, problems: map[string]bool{}, watch: map[string]bool{}}
	i.programs.Forget()
	l.settings = l.readSettings()
	var all []v1alpha1.NodePlugin
	for _, m := range mechanisms {
		found, err := m.find(l)
		if ctx.Err() != nil {
			return Found{}, ctx.Err()
		}
		if err != nil {
			l.problem(fmt.Errorf("could not look for %s: %w", m.name, err))
			// What was there is not known to be gone. It cannot be read, though.
			found = slices.Clone(i.before[m.name])
			for j := range found {
				found[j].State = v1alpha1.NodePluginFailed
			}
		} else {
			i.before[m.name] = found
		}
		all = append(all, found...)
	}
	return Found{Plugins: l.bounded(all), Problems: slices.Sorted(maps.Keys(l.problems)), Watch: l.watched()}, nil
}

// problem notes what could not be seen.
func (l *look) problem(err error) {
	l.problems[err.Error()] = true
}

// readDir is that of the host; a directory that is not there is empty.
func (l *look) readDir(name string) ([]fs.DirEntry, error) {
	l.watchDir(name)
	entries, err := l.root.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// readFile is that of the host, and bounded.
func (l *look) readFile(name string) ([]byte, error) {
	l.watchDir(path.Dir(name))
	if resolved, err := l.root.Resolve(name); err == nil {
		l.watchDir(path.Dir(resolved))
	}
	return l.root.ReadFile(name, maxConfig)
}

// dial connects to a socket of the host.
func (l *look) dial(name string) socket.Dial {
	l.watchDir(path.Dir(name))
	return func(ctx context.Context) (net.Conn, error) { return l.root.Dial(ctx, name) }
}

// watchDir has a directory watched, or where it is not there what is above it,
// so that its appearance is seen. All of the root is too much to watch.
func (l *look) watchDir(name string) {
	for ; name != "/" && name != "."; name = path.Dir(name) {
		if resolved, err := l.root.Resolve(name); err == nil {
			l.watch[l.root.Mounted(resolved)] = true
			return
		}
	}
}

func (l *look) watched() []string {
	dirs := slices.Sorted(maps.Keys(l.watch))
	if len(dirs) > maxWatched {
		l.problem(fmt.Errorf("of %d directories %d are watched", len(dirs), maxWatched))
		dirs = dirs[:maxWatched]
	}
	return dirs
}

// program describes the program at a path. One that is not there, or that
// nobody may run, is a failure; one that only could not be read is described
// without its digest.
func (l *look) program(plugin v1alpha1.NodePlugin) v1alpha1.NodePlugin {
	info, err := l.root.Stat(plugin.Path)
	if err == nil && !hostfs.Executable(info) {
		err = fmt.Errorf("%s is no program", plugin.Path)
	}
	if err != nil {
		l.problem(err)
		plugin.State = v1alpha1.NodePluginFailed
		return plugin
	}
	program, err := l.programs.Read(l.ctx, plugin.Path)
	if err != nil {
		l.problem(err)
	}
	plugin.SHA256, plugin.Version = program.SHA256, program.Version
	return plugin
}

// bounded orders the plugins and keeps what a report may have. Where there are
// too many, programs that are merely there are left out first.
func (l *look) bounded(plugins []v1alpha1.NodePlugin) []v1alpha1.NodePlugin {
	plugins = slices.DeleteFunc(slices.Clone(plugins), func(p v1alpha1.NodePlugin) bool {
		if !fits(p.Name, maxText) || p.Name == "" || !fits(p.Path, maxPath) {
			l.problem(fmt.Errorf("a plugin of type %s is left out: its name or path is too long", p.Type))
			return true
		}
		return false
	})
	for i := range plugins {
		if !fits(plugins[i].Version, maxText) {
			l.problem(fmt.Errorf("the version of %s is left out: it is too long", plugins[i].Name))
			plugins[i].Version = ""
		}
	}
	slices.SortStableFunc(plugins, byName)
	plugins = slices.CompactFunc(plugins, func(a, b v1alpha1.NodePlugin) bool { return byName(a, b) == 0 })
	if len(plugins) <= maxPlugins {
		return plugins
	}
	l.problem(fmt.Errorf("of %d plugins %d are reported", len(plugins), maxPlugins))
	slices.SortStableFunc(plugins, func(a, b v1alpha1.NodePlugin) int { return cmp.Compare(rank(a), rank(b)) })
	plugins = plugins[:maxPlugins]
	slices.SortStableFunc(plugins, byName)
	return plugins
}

func byName(a, b v1alpha1.NodePlugin) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
}

func rank(plugin v1alpha1.NodePlugin) int {
	if plugin.State == v1alpha1.NodePluginPresent {
		return 1
	}
	return 0
}
