package inspect

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/extant-project/extant/internal/nodeagent/nodeconfig"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const defaultFlexVolumes = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec"

// findFlexVolumes finds the drivers in the kubelet's directory, one a directory
// named vendor~driver with a program named driver. Whether the kubelet's call to
// init went well only the kubelet knows: they are Present, or have Failed where
// the program is not there.
func findFlexVolumes(l *look) ([]v1alpha1.NodePlugin, error) {
	dir, err := l.flexVolumes()
	if err != nil {
		return nil, err
	}
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, err
	}
	var found []v1alpha1.NodePlugin
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		program := entry.Name()
		if _, driver, ok := strings.Cut(program, "~"); ok {
			program = driver
		}
		if program == "" {
			continue
		}
		l.watchDir(path.Join(dir, entry.Name()))
		found = append(found, l.program(v1alpha1.NodePlugin{
			Type: v1alpha1.NodePluginFlexVolume, Name: strings.Replace(entry.Name(), "~", "/", 1),
			Path: path.Join(dir, entry.Name(), program), State: v1alpha1.NodePluginPresent,
		}))
	}
	return found, nil
}

// flexVolumes is the directory of drivers: as the agent was told, as the kubelet
// was told by its command line, by files added to its configuration, by its
// configuration, or where it is by default.
func (l *look) flexVolumes() (string, error) {
	if l.paths.FlexVolumes != "" {
		return l.paths.FlexVolumes, nil
	}
	if l.settings.kubeletError != nil {
		return "", l.settings.kubeletError
	}
	flags := l.settings.kubelet
	if flags[nodeconfig.FlagVolumePlugins] != "" {
		return flags[nodeconfig.FlagVolumePlugins], nil
	}
	files := []string{cmp.Or(l.paths.KubeletConfig, flags[nodeconfig.FlagConfig], path.Join(l.kubelet(), "config.yaml"))}
	if more := flags[nodeconfig.FlagConfigDir]; more != "" {
		dropIns, err := l.filesOf(more, ".conf")
		if err != nil {
			return "", err
		}
		files = append(files, dropIns...)
	}
	for _, file := range slices.Backward(files) {
		data, err := l.optional(file)
		if err != nil {
			return "", err
		}
		if data == nil {
			continue
		}
		dir, err := nodeconfig.ReadVolumePluginDir(data)
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		if dir != "" {
			return dir, nil
		}
	}
	return defaultFlexVolumes, nil
}

// findCredentialProviders finds the programs that the kubelet asks for
// credentials. They are Configured, or have Failed where the program is not
// there.
func findCredentialProviders(l *look) ([]v1alpha1.NodePlugin, error) {
	flags := l.settings.kubelet
	config := cmp.Or(l.paths.CredentialProviders, flags[nodeconfig.FlagCredentialProviders])
	programs := cmp.Or(l.paths.CredentialPrograms, flags[nodeconfig.FlagCredentialProviderBin])
	if l.paths.CredentialProviders == "" && l.settings.kubeletError != nil {
		return nil, l.settings.kubeletError
	}
	if config == "" {
		return nil, nil
	}
	files := []string{config}
	if info, err := l.root.Stat(config); err == nil && info.IsDir() {
		if files, err = l.filesOf(config, ".json", ".yaml", ".yml"); err != nil {
			return nil, err
		}
	}
	if programs != "" {
		l.watchDir(programs)
	}
	var found []v1alpha1.NodePlugin
	for _, file := range files {
		data, err := l.readFile(file)
		if err != nil {
			return nil, err
		}
		names, err := nodeconfig.ReadCredentialProviders(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, name := range names {
			plugin := v1alpha1.NodePlugin{Type: v1alpha1.NodePluginCredentialProvider, Name: name, State: v1alpha1.NodePluginConfigured}
			if programs != "" {
				plugin.Path = path.Join(programs, name)
				plugin = l.program(plugin)
			}
			found = append(found, plugin)
		}
	}
	return found, nil
}
