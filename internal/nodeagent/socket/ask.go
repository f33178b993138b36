package socket

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Registration is what a plugin says to the kubelet of itself: message
// PluginInfo of k8s.io/kubelet/pkg/apis/pluginregistration/v1.
type Registration struct {
	// Type is the kind of the plugin: CSIPlugin, DRAPlugin or DevicePlugin.
	Type string
	// Name is that of the driver, or of the resource of a device plugin.
	Name string
	// Endpoint is the path of the socket on the node where the plugin is called.
	// Where it is empty, that is the socket of the registration.
	Endpoint string
}

// Register asks for the registration, as the kubelet does, and does not say
// what became of it.
func Register(ctx context.Context, dial Dial) (Registration, error) {
	const method = "pluginregistration.Registration/GetInfo"
	message, err := call(ctx, dial, method)
	if err != nil {
		return Registration{}, err
	}
	var r Registration
	if err := strings(message, map[protowire.Number]*string{1: &r.Type, 2: &r.Name, 3: &r.Endpoint}); err != nil {
		return Registration{}, fmt.Errorf("could not read the answer of %s: %w", method, err)
	}
	return r, nil
}

// Driver is what a driver of volumes says of itself: message
// GetPluginInfoResponse of the CSI specification.
type Driver struct {
	// Name is that of the driver.
	Name string
	// Version is the driver's own, in its vendor's words.
	Version string
}

// AskDriver asks a driver of volumes who it is.
func AskDriver(ctx context.Context, dial Dial) (Driver, error) {
	const method = "csi.v1.Identity/GetPluginInfo"
	message, err := call(ctx, dial, method)
	if err != nil {
		return Driver{}, err
	}
	var d Driver
	if err := strings(message, map[protowire.Number]*string{1: &d.Name, 2: &d.Version}); err != nil {
		return Driver{}, fmt.Errorf("could not read the answer of %s: %w", method, err)
	}
	return d, nil
}

// AskDevicePlugin tells whether a device plugin answers: it is asked for its
// options, which are the only thing that it can be asked for and that takes
// nothing from the kubelet. It never says which resource it is for.
func AskDevicePlugin(ctx context.Context, dial Dial) error {
	_, err := call(ctx, dial, "v1beta1.DevicePlugin/GetDevicePluginOptions")
	return err
}

// strings reads fields that are strings, and passes over all others.
func strings(message []byte, fields map[protowire.Number]*string) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		field, wanted := fields[number]
		if !wanted || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
				return protowire.ParseError(n)
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if !utf8.Valid(value) {
			return errors.New("a string is not UTF-8")
		}
		*field, message = string(value), message[n:]
	}
	return nil
}
