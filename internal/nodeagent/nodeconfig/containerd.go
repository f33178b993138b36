package nodeconfig

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// ReadContainerd reads a file of containerd's configuration, of any version.
// Without the plugin for CRI containerd is nobody's runtime, and has no
// handlers.
func ReadContainerd(data []byte) (Runtime, error) {
	file, err := readTable(data)
	if err != nil {
		return Runtime{}, fmt.Errorf("could not read containerd's configuration: %w", err)
	}
	version, _ := file["version"].(int64)
	id := "io.containerd.cri.v1.runtime"
	switch {
	case version < 2:
		id = "cri"
	case version == 2:
		id = "io.containerd.grpc.v1.cri"
	}
	r := Runtime{Imports: file.texts("imports"), Handlers: map[string]string{}}
	disabled := file.texts("disabled_plugins")
	if nri := file.at("plugins", "io.containerd.nri.v1.nri"); nri != nil {
		r.NRIPlugins, r.NRISocket = nri.text("plugin_path"), nri.text("socket_path")
		if off := nri.truth("disable"); off != nil {
			on := !*off
			r.NRI = &on
		}
	}
	if slices.Contains(disabled, "cri") || slices.Contains(disabled, id) {
		return r, nil
	}
	cri := file.at("plugins", id)
	network := cri.at("cni")
	r.NetworkConfig = network.text("conf_dir")
	if r.NetworkPrograms = network.texts("bin_dirs"); len(r.NetworkPrograms) == 0 && network.text("bin_dir") != "" {
		r.NetworkPrograms = []string{network.text("bin_dir")}
	}
	runtimes := cri.at("containerd", "runtimes")
	for _, name := range runtimes.keys() {
		r.Handlers[name] = containerdProgram(runtimes.at(name))
	}
	return r, nil
}

// containerdProgram is the program that a handler stands for: where containerd's
// own shim runs an OCI runtime that is this one, otherwise the shim, which
// containerd finds by the type.
func containerdProgram(handler table) string {
	kind := handler.text("runtime_type")
	if kind == "" || strings.HasPrefix(kind, "io.containerd.runc.") || strings.HasPrefix(kind, "io.containerd.runtime.v1.") {
		if program := handler.at("options").text("BinaryName"); program != "" {
			return program
		}
		return "runc"
	}
	if shim := handler.text("runtime_path"); shim != "" {
		return shim
	}
	if path.IsAbs(kind) {
		return kind
	}
	parts := strings.Split(kind, ".")
	if len(parts) < 2 {
		return ""
	}
	return fmt.Sprintf("containerd-shim-%s-%s", parts[len(parts)-2], parts[len(parts)-1])
}
