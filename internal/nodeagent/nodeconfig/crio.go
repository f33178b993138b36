package nodeconfig

import "fmt"

// ReadCRIO reads a file of CRI-O's configuration.
func ReadCRIO(data []byte) (Runtime, error) {
	file, err := readTable(data)
	if err != nil {
		return Runtime{}, fmt.Errorf("could not read CRI-O's configuration: %w", err)
	}
	crio := file.at("crio")
	r := Runtime{Handlers: map[string]string{}}
	network := crio.at("network")
	r.NetworkConfig, r.NetworkPrograms = network.text("network_dir"), network.texts("plugin_dirs")
	nri := crio.at("nri")
	r.NRI, r.NRIPlugins, r.NRISocket = nri.truth("enable_nri"), nri.text("nri_plugin_dir"), nri.text("nri_listen")
	runtimes := crio.at("runtime", "runtimes")
	for _, name := range runtimes.keys() {
		program := runtimes.at(name).text("runtime_path")
		if program == "" {
			// It is looked for by the name of the handler.
			program = name
		}
		r.Handlers[name] = program
	}
	return r, nil
}
