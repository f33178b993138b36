package nodeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Network is one file of CNI configuration.
type Network struct {
	// Name is that of the network.
	Name string
	// Plugins are the programs that the file names, in its order: plugins,
	// those that allocate addresses, and those that plugins delegate to.
	Plugins []string
	// Folder is where further plugins of the network are, one a file, beside
	// this one. It is empty where the file has all of them.
	Folder string
}

// maxDepth is how deep plugins may delegate.
const maxDepth = 8

// network is both a list and a single plugin, which is what differs between
// .conflist and the rest.
type network struct {
	Name                   string          `json:"name"`
	CNIVersion             string          `json:"cniVersion"`
	LoadOnlyInlinedPlugins bool            `json:"loadOnlyInlinedPlugins"`
	Plugins                []networkPlugin `json:"plugins"`
	networkPlugin
}

type networkPlugin struct {
	Type string `json:"type"`
	IPAM struct {
		Type string `json:"type"`
	} `json:"ipam"`
	// Delegate is Flannel's, a plugin; Delegates are those of Multus, each a
	// plugin or a list. To other plugins the words may mean something else.
	Delegate  json.RawMessage `json:"delegate"`
	Delegates json.RawMessage `json:"delegates"`
}

type delegate struct {
	Plugins []networkPlugin `json:"plugins"`
	networkPlugin
}

// IsNetwork tells whether a file of the directory for CNI configuration is one.
func IsNetwork(name string) bool {
	return slices.Contains([]string{".conf", ".conflist", ".json"}, path.Ext(name))
}

// ReadNetwork reads a file of CNI configuration.
func ReadNetwork(name string, data []byte) (Network, error) {
	var read network
	if err := json.Unmarshal(data, &read); err != nil {
		return Network{}, fmt.Errorf("could not read CNI configuration: %w", err)
	}
	n := Network{Name: read.Name}
	if path.Ext(name) != ".conflist" {
		if !isFileName(read.Type) {
			return Network{}, errors.New("could not read CNI configuration: it names no plugin")
		}
		n.add(read.networkPlugin, 0)
		return n, nil
	}
	if read.Name == "" {
		return Network{}, errors.New("could not read CNI configuration: it has no name")
	}
	for _, plugin := range read.Plugins {
		if !isFileName(plugin.Type) {
			return Network{}, errors.New("could not read CNI configuration: the type of a plugin is no name of a program")
		}
		n.add(plugin, 0)
	}
	if !read.LoadOnlyInlinedPlugins && isFileName(read.Name) {
		n.Folder = read.Name
	}
	return n, nil
}

// ReadNetworkPlugin reads a file in the folder of a network, which has one
// plugin, and returns the programs that it names.
func ReadNetworkPlugin(data []byte) ([]string, error) {
	n, err := ReadNetwork(".conf", data)
	return n.Plugins, err
}

func (n *Network) add(plugin networkPlugin, depth int) {
	for _, program := range []string{plugin.Type, plugin.IPAM.Type} {
		// Programs are looked up by name, and never by path.
		if isFileName(program) && !slices.Contains(n.Plugins, program) {
			n.Plugins = append(n.Plugins, program)
		}
	}
	if depth == maxDepth {
		return
	}
	var delegates []delegate
	if json.Unmarshal(plugin.Delegates, &delegates) != nil {
		delegates = nil
	}
	var one delegate
	if json.Unmarshal(plugin.Delegate, &one) == nil {
		delegates = append(delegates, one)
	}
	for _, d := range delegates {
		n.add(d.networkPlugin, depth+1)
		for _, listed := range d.Plugins {
			n.add(listed, depth+1)
		}
	}
}

// isFileName tells names of files from paths.
func isFileName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}
