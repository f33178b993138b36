package inspect

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	defaultNRIPlugins = "/opt/nri/plugins"
	defaultNRISocket  = "/var/run/nri/nri.sock"
)

// searchPath is where container runtimes find programs by name.
var searchPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// startedByRuntime is what runtimes require of the names of NRI plugins.
var startedByRuntime = regexp.MustCompile(`^[0-9]{2}-.`)

// findRuntimeHandlers finds the handlers that the configuration of the container
// runtime names, with the programs behind them. They are Configured, or have
// Failed where the program is not where the configuration says.
func findRuntimeHandlers(l *look) ([]v1alpha1.NodePlugin, error) {
	if l.settings.runtimeError != nil {
		return nil, l.settings.runtimeError
	}
	handlers := l.settings.runtime.Handlers
	var found []v1alpha1.NodePlugin
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		plugin := v1alpha1.NodePlugin{Type: v1alpha1.NodePluginRuntimeHandler, Name: name, State: v1alpha1.NodePluginConfigured}
		// Where the directory of a program cannot be seen, nothing is known of it.
		if plugin.Path = l.whereIs(handlers[name]); plugin.Path != "" && l.sees(path.Dir(plugin.Path)) {
			l.watchDir(path.Dir(plugin.Path))
			plugin = l.program(plugin)
		}
		found = append(found, plugin)
	}
	return found, nil
}

// whereIs returns the path of a program, or nothing where it is not found by its
// name.
func (l *look) whereIs(program string) string {
	if path.IsAbs(program) {
		return path.Clean(program)
	}
	if program == "" || strings.Contains(program, "/") {
		return ""
	}
	for _, dir := range searchPath {
		if at := path.Join(dir, program); l.isProgram(at) {
			return at
		}
	}
	return ""
}

// sees tells whether a directory is there and may be read.
func (l *look) sees(dir string) bool {
	_, err := l.root.Stat(dir)
	return err == nil
}

// findNRIPlugins finds the plugins that a container runtime starts by itself.
// They are Configured where it does, because its configuration or its socket
// says so, and else Present. Plugins that run elsewhere and connect to that
// socket leave no trace in files.
func findNRIPlugins(l *look) ([]v1alpha1.NodePlugin, error) {
	runtime := l.settings.runtime
	dir := cmp.Or(l.paths.NRIPlugins, runtime.NRIPlugins, defaultNRIPlugins)
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, err
	}
	state := v1alpha1.NodePluginPresent
	at := cmp.Or(runtime.NRISocket, defaultNRISocket)
	if l.watchDir(path.Dir(at)); runtime.NRI == nil && l.sees(at) || runtime.NRI != nil && *runtime.NRI {
		state = v1alpha1.NodePluginConfigured
	}
	var found []v1alpha1.NodePlugin
	for _, entry := range entries {
		file := path.Join(dir, entry.Name())
		if startedByRuntime.MatchString(entry.Name()) && l.isProgram(file) {
			found = append(found, l.program(v1alpha1.NodePlugin{
				Type: v1alpha1.NodePluginRuntimeHandler, Name: entry.Name(), Path: file, State: state,
			}))
		}
	}
	return found, nil
}
