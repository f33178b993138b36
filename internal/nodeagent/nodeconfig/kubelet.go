package nodeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Flags are those of the kubelet's command line that lead to plugins, by name
// and without dashes, with absolute paths as values.
type Flags map[string]string

// The flags that are looked for.
const (
	FlagConfig                = "config"
	FlagConfigDir             = "config-dir"
	FlagVolumePlugins         = "volume-plugin-dir"
	FlagCredentialProviders   = "image-credential-provider-config"
	FlagCredentialProviderBin = "image-credential-provider-bin-dir"
)

var wantedFlags = []string{FlagConfig, FlagConfigDir, FlagVolumePlugins, FlagCredentialProviders, FlagCredentialProviderBin}

// ReadFlags finds flags in a systemd unit, or in a file of environment variables
// that one reads. The last of a flag counts. A value that a variable is part of
// is not known, and is left out.
func ReadFlags(text string) Flags {
	found := Flags{}
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '"' || r == '\'' })
		for i, word := range words {
			// The first word may be that of a variable: NAME=--flag=value.
			_, flag, ok := strings.Cut(word, "--")
			if !ok {
				continue
			}
			name, value, ok := strings.Cut(flag, "=")
			if !ok && i+1 < len(words) {
				value = words[i+1]
			}
			if !slices.Contains(wantedFlags, name) {
				continue
			}
			if path.IsAbs(value) && !strings.ContainsAny(value, "$%") {
				found[name] = path.Clean(value)
			} else {
				delete(found, name)
			}
		}
	}
	return found
}

// ReadVolumePluginDir reads the directory of FlexVolume drivers from a kubelet's
// configuration, in YAML or JSON. It is empty where none is said.
func ReadVolumePluginDir(data []byte) (string, error) {
	var read struct {
		Kind            string `json:"kind"`
		VolumePluginDir string `json:"volumePluginDir"`
	}
	if err := decode(data, &read); err != nil {
		return "", fmt.Errorf("could not read the kubelet's configuration: %w", err)
	}
	if read.Kind != "KubeletConfiguration" {
		return "", fmt.Errorf("could not read the kubelet's configuration: it is of kind %q", read.Kind)
	}
	return read.VolumePluginDir, nil
}

// ReadCredentialProviders reads the names of the kubelet's credential providers,
// in their order, which are those of their programs.
func ReadCredentialProviders(data []byte) ([]string, error) {
	var read struct {
		Kind      string `json:"kind"`
		Providers []struct {
			Name string `json:"name"`
		} `json:"providers"`
	}
	if err := decode(data, &read); err != nil {
		return nil, fmt.Errorf("could not read the credential providers: %w", err)
	}
	if read.Kind != "CredentialProviderConfig" {
		return nil, fmt.Errorf("could not read the credential providers: it is of kind %q", read.Kind)
	}
	names := make([]string, 0, len(read.Providers))
	for _, provider := range read.Providers {
		if !isFileName(provider.Name) {
			return nil, fmt.Errorf("could not read the credential providers: %q is no name of a program", provider.Name)
		}
		names = append(names, provider.Name)
	}
	return names, nil
}

// decode reads YAML, of which JSON is a part.
func decode(data []byte, into any) error {
	return yaml.Unmarshal(data, into)
}

// ReadDevices reads the resources that device plugins have registered from the
// kubelet's checkpoint, in order.
func ReadDevices(data []byte) ([]string, error) {
	var read struct {
		Data *struct {
			RegisteredDevices map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return nil, fmt.Errorf("could not read the kubelet's checkpoint of devices: %w", err)
	}
	if read.Data == nil {
		return nil, errors.New("could not read the kubelet's checkpoint of devices: it has no data")
	}
	resources := make([]string, 0, len(read.Data.RegisteredDevices))
	for name := range read.Data.RegisteredDevices {
		if name != "" {
			resources = append(resources, name)
		}
	}
	slices.Sort(resources)
	return resources, nil
}
