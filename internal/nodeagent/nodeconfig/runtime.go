package nodeconfig

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// Runtime is the configuration of a container runtime, of one file or of
// several.
type Runtime struct {
	// Imports are the files that this one reads besides, as patterns.
	Imports []string
	// Handlers are the programs of the handlers, by the handlers' names: a path,
	// or a name that is looked for where programs are.
	Handlers map[string]string
	// NetworkConfig is the directory of CNI configuration, NetworkPrograms are
	// those of CNI's programs. They are empty where nothing is said.
	NetworkConfig   string
	NetworkPrograms []string
	// NRIPlugins is the directory of the plugins that the runtime starts by
	// itself, NRISocket the socket at which others connect. They are empty where
	// nothing is said.
	NRIPlugins, NRISocket string
	// NRI is whether it does; nil where nothing is said.
	NRI *bool
}

// Merge adds what a later file says, which counts more.
func (r *Runtime) Merge(later Runtime) {
	if r.Handlers == nil {
		r.Handlers = map[string]string{}
	}
	maps.Copy(r.Handlers, later.Handlers)
	if later.NetworkConfig != "" {
		r.NetworkConfig = later.NetworkConfig
	}
	if len(later.NetworkPrograms) > 0 {
		r.NetworkPrograms = later.NetworkPrograms
	}
	if later.NRIPlugins != "" {
		r.NRIPlugins = later.NRIPlugins
	}
	if later.NRISocket != "" {
		r.NRISocket = later.NRISocket
	}
	if later.NRI != nil {
		r.NRI = later.NRI
	}
}

// table is a table of TOML.
type table map[string]any

func readTable(data []byte) (table, error) {
	var read table
	if err := toml.Unmarshal(data, &read); err != nil {
		// The library's error quotes the file, which may have passwords.
		var wrong *toml.DecodeError
		if errors.As(err, &wrong) {
			row, column := wrong.Position()
			return nil, fmt.Errorf("line %d, column %d is no TOML", row, column)
		}
		return nil, errors.New("it is no TOML")
	}
	return read, nil
}

// at returns the table at the end of a path of keys, or none.
func (t table) at(keys ...string) table {
	for _, key := range keys {
		next, ok := t[key].(map[string]any)
		if !ok {
			return nil
		}
		t = next
	}
	return t
}

func (t table) text(key string) string {
	value, _ := t[key].(string)
	return value
}

func (t table) texts(key string) []string {
	values, _ := t[key].([]any)
	var found []string
	for _, value := range values {
		if value, ok := value.(string); ok && value != "" {
			found = append(found, value)
		}
	}
	return found
}

// truth returns a boolean, or nil where there is none.
func (t table) truth(key string) *bool {
	value, ok := t[key].(bool)
	if !ok {
		return nil
	}
	return &value
}

func (t table) keys() []string {
	return slices.Sorted(maps.Keys(t))
}
