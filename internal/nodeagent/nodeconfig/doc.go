// Package nodeconfig reads the files of a node that say which binary plugins it
// is to use: CNI configuration, the kubelet's command line, configuration and
// credential providers, its notes on devices, and the configuration of
// containerd and CRI-O. It takes bytes and returns values; where the files are,
// and what to make of them, is up to its callers. What it does not need it does
// not read, so that files of newer versions are no error.
package nodeconfig
