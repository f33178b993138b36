package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/extant-project/extant/internal/nodeagent/hostfs"
	"github.com/extant-project/extant/internal/nodeagent/nodeconfig"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	defaultNetworkConfig   = "/etc/cni/net.d"
	defaultNetworkPrograms = "/opt/cni/bin"
)

// findNetworkPlugins finds the programs of CNI. In effect is the first file, by
// name, that is well: its programs are Configured, those that are not where
// programs are have Failed, and so have files before it, because container
// runtimes differ in what they make of them. All other programs are Present.
func findNetworkPlugins(l *look) ([]v1alpha1.NodePlugin, error) {
	config := cmp.Or(l.paths.NetworkConfig, l.settings.runtime.NetworkConfig, defaultNetworkConfig)
	configured, found, err := l.networkInEffect(config)
	if err != nil {
		return nil, err
	}
	dirs := l.networkPrograms()
	placed := map[string]bool{}
	for _, dir := range dirs {
		entries, err := l.readDir(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			file := path.Join(dir, entry.Name())
			plugin := v1alpha1.NodePlugin{Type: v1alpha1.NodePluginCNI, Name: entry.Name(), Path: file, State: v1alpha1.NodePluginPresent}
			// In a later directory a program is never found.
			if slices.Contains(configured, entry.Name()) && !placed[entry.Name()] {
				plugin.State = v1alpha1.NodePluginConfigured
				placed[entry.Name()] = true
			} else if !l.isProgram(file) {
				continue
			}
			found = append(found, l.program(plugin))
		}
	}
	for _, name := range configured {
		if !placed[name] {
			l.problem(fmt.Errorf("CNI plugin %s is configured and not there", name))
			found = append(found, v1alpha1.NodePlugin{
				Type: v1alpha1.NodePluginCNI, Name: name, Path: path.Join(dirs[0], name), State: v1alpha1.NodePluginFailed,
			})
		}
	}
	return found, nil
}

// networkPrograms returns the directories in which programs of CNI are looked
// for.
func (l *look) networkPrograms() []string {
	for _, dirs := range [][]string{l.paths.NetworkPrograms, l.settings.runtime.NetworkPrograms} {
		if len(dirs) > 0 {
			return dirs
		}
	}
	return []string{defaultNetworkPrograms}
}

// networkInEffect returns the programs that the file in effect names, and files
// before it that are not well.
func (l *look) networkInEffect(dir string) (programs []string, failed []v1alpha1.NodePlugin, err error) {
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		if entry.IsDir() || !nodeconfig.IsNetwork(entry.Name()) {
			continue
		}
		file := path.Join(dir, entry.Name())
		programs, err := l.network(dir, file)
		if err == nil {
			return programs, failed, nil
		}
		l.problem(fmt.Errorf("%s: %w", file, err))
		failed = append(failed, v1alpha1.NodePlugin{Type: v1alpha1.NodePluginCNI, Name: entry.Name(), Path: file, State: v1alpha1.NodePluginFailed})
	}
	return nil, failed, nil
}

// network returns the programs that a file names, with those in its folder.
func (l *look) network(dir, file string) ([]string, error) {
	data, err := l.readFile(file)
	if err != nil {
		return nil, err
	}
	network, err := nodeconfig.ReadNetwork(file, data)
	if err != nil {
		return nil, err
	}
	programs := network.Plugins
	if network.Folder != "" {
		files, err := l.filesOf(path.Join(dir, network.Folder), ".conf")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			data, err := l.readFile(file)
			if err != nil {
				return nil, err
			}
			more, err := nodeconfig.ReadNetworkPlugin(data)
			if err != nil {
				return nil, err
			}
			programs = append(programs, more...)
		}
	}
	if len(programs) == 0 {
		return nil, errors.New("it names no plugin")
	}
	return programs, nil
}

// isProgram tells programs from what else lies about.
func (l *look) isProgram(file string) bool {
	info, err := l.root.Stat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.problem(err)
	}
	return err == nil && hostfs.Executable(info)
}
