package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
)

// Etcd is an etcd of one member. Its data outlives Stop and Start.
type Etcd struct {
	*Process
	// Endpoint is its client URL.
	Endpoint string
}

// StartEtcd starts an etcd with its data in the directory, and waits until it
// answers.
func StartEtcd(ctx context.Context, assets, dir, name string) (*Etcd, error) {
	ports, err := FreePorts(2)
	if err != nil {
		return nil, err
	}
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	etcd := &Etcd{Endpoint: client, Process: &Process{
		Name: name, Path: filepath.Join(assets, "etcd"), Dir: dir,
		Args: []string{
			"--name=default",
			"--data-dir=" + filepath.Join(dir, name),
			"--listen-client-urls=" + client,
			"--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer,
			"--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=default=" + peer,
			"--unsafe-no-fsync",
			"--log-level=warn",
		},
	}}
	if err := etcd.Start(); err != nil {
		return nil, err
	}
	return etcd, etcd.WaitReady(ctx)
}

// WaitReady waits until etcd answers.
func (e *Etcd) WaitReady(ctx context.Context) error {
	return waitFor(ctx, e.Process, func(ctx context.Context) error {
		return get(ctx, http.DefaultClient, e.Endpoint+"/health")
	})
}
