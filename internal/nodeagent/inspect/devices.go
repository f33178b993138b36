package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/extant-project/extant/internal/nodeagent/nodeconfig"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// maxCheckpoint is how large the kubelet's checkpoint may be, in bytes: it has
// the devices of all pods.
const maxCheckpoint = 16 << 20

// findDevicePlugins finds resources that the kubelet has noted, which are
// Registered, and the sockets of device plugins, named for their files, which
// are Present if somebody answers. A device plugin tells its resource to the
// kubelet alone, so that nothing says which socket is whose.
func findDevicePlugins(l *look) ([]v1alpha1.NodePlugin, error) {
	dir := path.Join(l.kubelet(), "device-plugins")
	entries, err := l.readDir(dir)
	if err != nil {
		return nil, err
	}
	var found []v1alpha1.NodePlugin
	for _, entry := range entries {
		if entry.Type() != fs.ModeSocket || entry.Name() == "kubelet.sock" {
			continue
		}
		at := path.Join(dir, entry.Name())
		plugin := v1alpha1.NodePlugin{
			Type: v1alpha1.NodePluginDevice, Name: strings.TrimSuffix(entry.Name(), ".sock"), Path: at, State: v1alpha1.NodePluginPresent,
		}
		err := l.mayAsk(at)
		if err == nil {
			_, err = l.askDevicePlugin(at)
		}
		if err != nil {
			l.problem(err)
			plugin.State = v1alpha1.NodePluginFailed
		}
		found = append(found, plugin)
	}
	data, err := l.root.ReadFile(path.Join(dir, "kubelet_internal_checkpoint"), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	resources, err := nodeconfig.ReadDevices(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for _, resource := range resources {
		found = append(found, v1alpha1.NodePlugin{Type: v1alpha1.NodePluginDevice, Name: resource, State: v1alpha1.NodePluginRegistered})
	}
	return found, nil
}
