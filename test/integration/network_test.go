package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// network leads the addresses of pods to loopback, for want of a cluster's
// network and DNS: it is the proxy of those who call pods, to whom they say
// whom they mean. All ports of a pod are one.
type network struct {
	url string

	mu sync.Mutex
	// hosts are the pods that there are, by name or IP.
	hosts map[string]*networkHost
}

// networkHost is a pod. Its connections end with it.
type networkHost struct {
	address string
	// connections is guarded by mu of the network.
	connections map[net.Conn]struct{}
}

func newNetwork() (*network, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &network{url: "http://" + listener.Addr().String(), hosts: map[string]*networkHost{}}
	go func() { _ = http.Serve(listener, n) }() // until the tests end
	return n, nil
}

// egressSelector is what kube-apiserver is told of a network. Without TLS it
// calls proxies through sockets only.
const egressSelector = `
apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {uds: {udsName: %q}}
`

// egressArgs are the flags with which kube-apiserver calls pods through the
// network, at the addresses that the endpoints of their Services have.
func (n *network) egressArgs(dir string) ([]string, error) {
	socket, file := filepath.Join(dir, "network.sock"), filepath.Join(dir, "egress.yaml")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	go func() { _ = http.Serve(listener, n) }() // until the tests end
	if err := os.WriteFile(file, fmt.Appendf(nil, egressSelector, socket), 0o600); err != nil {
		return nil, fmt.Errorf("could not write the egress selector: %w", err)
	}
	return []string{"--egress-selector-config-file=" + file, "--enable-aggregator-routing=true"}, nil
}

// lead leads a host to an address from now on.
func (n *network) lead(host, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = &networkHost{address: address, connections: map[net.Conn]struct{}{}}
}

// cut ends what is connected to a host, and refuses what comes.
func (n *network) cut(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if gone, ok := n.hosts[host]; ok {
		delete(n.hosts, host)
		for connection := range gone.connections {
			_ = connection.Close()
		}
	}
}

// reaches tells whether there is such a host.
func (n *network) reaches(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[host] != nil
}

// dial connects to a host for as long as there is one.
func (n *network) dial(host string) (connection net.Conn, hangUp func(), err error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: &net.AddrError{Err: "no such host", Addr: host}}
	n.mu.Lock()
	known := n.hosts[host]
	n.mu.Unlock()
	if known == nil {
		return nil, nil, refused
	}
	if connection, err = net.Dial("tcp", known.address); err != nil {
		return nil, nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[host] != known { // it went in the meantime
		_ = connection.Close()
		return nil, nil, refused
	}
	known.connections[connection] = struct{}{}
	return connection, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(known.connections, connection)
		_ = connection.Close()
	}, nil
}

// ServeHTTP answers CONNECT.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	there, hangUp, err := n.dial(host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer hangUp()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	for _, pipe := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, _ = io.Copy(pipe[0], pipe[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
