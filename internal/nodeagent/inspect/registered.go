package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/extant-project/extant/internal/nodeagent/socket"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	defaultKubelet = "/var/lib/kubelet"
	// maxDepth is how deep directories of sockets may be.
	maxDepth = 4
	// maxAsked is how many sockets are asked in one look.
	maxAsked = 64
)

// kinds are the plugins that register with the kubelet, by the word that they
// say: see k8s.io/kubelet/pkg/apis/pluginregistration/v1.
var kinds = map[string]struct {
	reported v1alpha1.NodePluginType
	// check asks the plugin itself, and returns its version where it tells one.
	check func(*look, string) (string, error)
}{
	"CSIPlugin":    {v1alpha1.NodePluginCSI, (*look).askDriver},
	"DRAPlugin":    {v1alpha1.NodePluginDynamicResource, (*look).connect},
	"DevicePlugin": {v1alpha1.NodePluginDevice, (*look).askDevicePlugin},
}

// findRegistered finds the plugins that offer themselves to the kubelet by a
// socket, whom the kubelet calls as long as it is there. They are Registered if
// they answer at it and at their endpoint, and have Failed otherwise.
func findRegistered(l *look) ([]v1alpha1.NodePlugin, error) {
	sockets, err := l.sockets(path.Join(l.kubelet(), "plugins_registry"), 0)
	if err != nil {
		return nil, err
	}
	var found []v1alpha1.NodePlugin
	said := map[string]socket.Registration{}
	for _, at := range sockets {
		registration, err := l.register(at)
		if err != nil {
			l.problem(err)
		}
		kind, ok := kinds[registration.Type]
		if !ok {
			if err == nil {
				l.problem(fmt.Errorf("%s is that of a plugin of type %q, which is not known", at, registration.Type))
			}
			continue
		}
		said[at] = registration
		plugin := v1alpha1.NodePlugin{
			Type: kind.reported, Name: registration.Name, Path: endpoint(registration, at), State: v1alpha1.NodePluginRegistered,
		}
		if err == nil {
			plugin.Version, err = kind.check(l, plugin.Path)
			if err != nil {
				l.problem(err)
			}
		}
		if err != nil {
			plugin.State = v1alpha1.NodePluginFailed
		}
		found = append(found, plugin)
	}
	l.registered = said
	return found, nil
}

func (l *look) kubelet() string {
	return cmp.Or(l.paths.Kubelet, defaultKubelet)
}

// sockets returns the sockets in a directory and below, as the kubelet looks
// for them: those with a dot in front are somebody's who is not ready.
func (l *look) sockets(dir string, depth int) ([]string, error) {
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		at := path.Join(dir, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."):
		case entry.Type() == fs.ModeSocket:
			found = append(found, at)
		case entry.IsDir() && depth < maxDepth:
			below, err := l.sockets(at, depth+1)
			if err != nil {
				l.problem(err)
			}
			found = append(found, below...)
		}
	}
	return found, nil
}

// register asks at a socket of registration. Where nobody answers, it returns
// with the error who that was before, or whose data is beside it.
func (l *look) register(at string) (socket.Registration, error) {
	if err := l.mayAsk(at); err != nil {
		return l.registered[at], err
	}
	registration, err := socket.Register(l.ctx, l.dial(at))
	if err == nil && registration.Name == "" {
		err = errors.New("the plugin has no name")
	}
	if err == nil {
		return registration, nil
	}
	err = fmt.Errorf("%s: %w", at, err)
	if known, ok := l.registered[at]; ok {
		return known, err
	}
	name := strings.TrimSuffix(strings.TrimSuffix(path.Base(at), ".sock"), "-reg")
	for _, guess := range []struct{ kind, socket string }{{"CSIPlugin", "csi.sock"}, {"DRAPlugin", "dra.sock"}} {
		endpoint := path.Join(l.kubelet(), "plugins", name, guess.socket)
		if _, missing := l.root.Stat(endpoint); missing == nil {
			return socket.Registration{Type: guess.kind, Name: name, Endpoint: endpoint}, err
		}
	}
	return socket.Registration{}, err
}

// endpoint is where a plugin is called.
func endpoint(registration socket.Registration, at string) string {
	if registration.Endpoint == "" {
		return at
	}
	return path.Clean("/" + strings.TrimPrefix(registration.Endpoint, "unix://"))
}

// mayAsk bounds how many sockets are asked: one that is stuck takes seconds.
func (l *look) mayAsk(at string) error {
	if l.asked++; l.asked > maxAsked {
		return fmt.Errorf("%s is not asked: there are too many sockets", at)
	}
	return nil
}

func (l *look) askDriver(at string) (string, error) {
	driver, err := socket.AskDriver(l.ctx, l.dial(at))
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return driver.Version, nil
}

func (l *look) askDevicePlugin(at string) (string, error) {
	if err := socket.AskDevicePlugin(l.ctx, l.dial(at)); err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return "", nil
}

// connect is all that can be asked of a driver of dynamic resources.
func (l *look) connect(at string) (string, error) {
	connection, err := l.dial(at)(l.ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return "", connection.Close()
}
