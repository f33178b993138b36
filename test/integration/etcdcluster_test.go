package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
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
		cluster.network.addresses.Store(fmt.Sprintf("%s.%s.%s.svc:2380", member.Name, set.Spec.ServiceName, namespace), member.peer)
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

// network leads the names of the pods to loopback, for want of a cluster's DNS:
// it is the proxy of the members, to whom they say the name that they mean.
type network struct {
	url string
	// addresses has the names as keys.
	addresses sync.Map
}

func newNetwork() (*network, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &network{url: "http://" + listener.Addr().String()}
	go func() { _ = http.Serve(listener, n) }() // until the tests end
	return n, nil
}

// ServeHTTP answers CONNECT.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known, _ := n.addresses.Load(r.Host)
	address, ok := known.(string)
	if !ok {
		http.Error(w, "no such host: "+r.Host, http.StatusBadGateway)
		return
	}
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
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
