package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/extant-project/extant/test/controlplane"
)

// etcdCluster is Extant's etcd: the pods of the StatefulSet.
type etcdCluster struct {
	members []*etcdMember
	network *network
}

// etcdMember is one pod of the StatefulSet.
type etcdMember struct {
	*controlplane.Process
	client, peer, metrics string
	// liveness and readiness are the paths of the probes.
	liveness, readiness string
}

// startEtcd starts the members with empty data.
func (e *environment) startEtcd(ctx context.Context) (*etcdCluster, error) {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return nil, err
	}
	set, err := client.AppsV1().StatefulSets(namespace).Get(ctx, "extant-etcd", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	cluster := &etcdCluster{}
	if cluster.network, err = newNetwork(); err != nil {
		return nil, err
	}
	for ordinal := range int(*set.Spec.Replicas) {
		member, err := e.newMember(ctx, set.Spec.Template.Spec, fmt.Sprintf("%s-%d", set.Name, ordinal))
		if err != nil {
			return cluster, err
		}
		member.Env = []string{"HTTPS_PROXY=" + cluster.network.url}
		cluster.network.lead(fmt.Sprintf("%s.%s.%s.svc", member.Name, set.Spec.ServiceName, namespace), member.peer)
		cluster.members = append(cluster.members, member)
	}
	if err := cluster.Start(); err != nil {
		return cluster, err
	}
	return cluster, cluster.WaitReady(ctx)
}

func (e *environment) newMember(ctx context.Context, pod corev1.PodSpec, name string) (*etcdMember, error) {
	if err := os.RemoveAll(e.podDir(name)); err != nil {
		return nil, err
	}
	args, err := e.commandLine(ctx, pod, name)
	if err != nil {
		return nil, err
	}
	ports, err := controlplane.FreePorts(3)
	if err != nil {
		return nil, err
	}
	address := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	container := pod.Containers[0]
	return &etcdMember{
		client: address(0), peer: address(1), metrics: address(2),
		liveness: container.LivenessProbe.HTTPGet.Path, readiness: container.ReadinessProbe.HTTPGet.Path,
		Process: &controlplane.Process{
			Name: name, Path: e.plane.Program("etcd"), Dir: e.dir,
			// Three pods on one machine cannot listen on the same ports.
			Args: override(args,
				"--listen-client-urls=https://"+address(0),
				"--listen-peer-urls=https://"+address(1),
				"--listen-metrics-urls=http://"+address(2),
				"--unsafe-no-fsync",
				"--log-level=warn",
			),
		},
	}, nil
}

// endpoints are the URLs for clients.
func (c *etcdCluster) endpoints() []string {
	var urls []string
	for _, member := range c.members {
		urls = append(urls, "https://"+member.client)
	}
	return urls
}

// Start starts the members that do not run.
func (c *etcdCluster) Start() error {
	for _, member := range c.members {
		if member.Running() {
			continue
		}
		if err := member.Start(); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops all members at once: one after the other, the last ones would
// wait for those before.
func (c *etcdCluster) Stop() error {
	stopped := make(chan error, len(c.members))
	for _, member := range c.members {
		go func() { stopped <- member.Stop() }()
	}
	var errs []error
	for range c.members {
		errs = append(errs, <-stopped)
	}
	return errors.Join(errs...)
}

// Running tells whether all members run.
func (c *etcdCluster) Running() bool {
	for _, member := range c.members {
		if !member.Running() {
			return false
		}
	}
	return true
}

// WaitReady waits until the probes of all members pass.
func (c *etcdCluster) WaitReady(ctx context.Context) error {
	for _, member := range c.members {
		var last error
		err := wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
			if !member.Running() {
				return false, errors.New("it ended")
			}
			last = errors.Join(member.probe(ctx, member.liveness), member.probe(ctx, member.readiness))
			return last == nil, nil
		})
		if err != nil {
			return fmt.Errorf("%s did not become ready: %w\n%s", member.Name, errors.Join(err, last), member.Tail(20))
		}
	}
	return nil
}

// probe does what the kubelet does.
func (m *etcdMember) probe(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.metrics+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return err
}
