// Package nodeplugins has plugins of a node for tests: they speak the protocols
// of plugin registration, of CSI and of device plugins, with the modules that
// Kubernetes and CSI publish, and write down what they were asked.
package nodeplugins

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	deviceplugin "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	pluginregistration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// Plugin is one plugin at one socket. What it serves is what it says.
type Plugin struct {
	// Registration is what it says to the kubelet, if it registers.
	Registration *pluginregistration.PluginInfo
	// Driver is what it says of itself as a driver of volumes, if it is one.
	Driver *csi.GetPluginInfoResponse
	// Device makes it a device plugin.
	Device bool

	server *grpc.Server
	served chan error

	mutex sync.Mutex
	calls []string
}

// Start serves at the path of a socket, which may be of any length.
func (p *Plugin) Start(path string) error {
	listener, err := Listen(path)
	if err != nil {
		return err
	}
	p.server = grpc.NewServer(grpc.UnaryInterceptor(p.note), grpc.StreamInterceptor(p.noteStream))
	if p.Registration != nil {
		pluginregistration.RegisterRegistrationServer(p.server, registrar{info: p.Registration})
	}
	if p.Driver != nil {
		csi.RegisterIdentityServer(p.server, identity{info: p.Driver})
	}
	if p.Device {
		deviceplugin.RegisterDevicePluginServer(p.server, device{})
	}
	p.served = make(chan error, 1)
	go func() { p.served <- p.server.Serve(listener) }()
	return nil
}

// Stop stops serving, and leaves the socket as a plugin that crashed does.
func (p *Plugin) Stop() error {
	p.server.Stop()
	return <-p.served
}

// Calls returns the methods that were called, each once and in order.
func (p *Plugin) Calls() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	calls := slices.Clone(p.calls)
	slices.Sort(calls)
	return slices.Compact(calls)
}

func (p *Plugin) note(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	p.called(info.FullMethod)
	return handler(ctx, request)
}

func (p *Plugin) noteStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	p.called(info.FullMethod)
	return handler(server, stream)
}

func (p *Plugin) called(method string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls = append(p.calls, method)
}

// Listen listens at the path of a socket. The addresses of sockets are short,
// and those of tests' directories are not: the directory goes by its descriptor.
// The socket stays when the listener is closed.
func Listen(path string) (net.Listener, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	address := &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))}
	listener, err := net.ListenUnix("unix", address)
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

type registrar struct {
	pluginregistration.UnimplementedRegistrationServer
	info *pluginregistration.PluginInfo
}

func (r registrar) GetInfo(context.Context, *pluginregistration.InfoRequest) (*pluginregistration.PluginInfo, error) {
	return r.info, nil
}

type identity struct {
	csi.UnimplementedIdentityServer
	info *csi.GetPluginInfoResponse
}

func (i identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return i.info, nil
}

type device struct {
	deviceplugin.UnimplementedDevicePluginServer
}

func (device) GetDevicePluginOptions(context.Context, *deviceplugin.Empty) (*deviceplugin.DevicePluginOptions, error) {
	return &deviceplugin.DevicePluginOptions{PreStartRequired: true, GetPreferredAllocationAvailable: true}, nil
}
