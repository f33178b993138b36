// Package apiserver is the host that wires everything together: options
// become a config, a config becomes a server, and the server runs the
// controllers. It is the one place that knows every other package; it decides
// what runs in which mode and nothing about what extends a cluster.
package apiserver
