package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	"github.com/extant-project/extant/test/controlplane"
	"github.com/extant-project/extant/test/kubelet"
)

// liveCluster is a cluster in which pods run: Extant as it is installed, behind
// its Service, and workloads that answer as webhooks.
type liveCluster struct {
	*environment
	kube    kubernetes.Interface
	reviews client.OutageReviewInterface
	runtime *liveRuntime
	// webhooks is who answers in every pod that is not Extant's.
	webhooks *recorder
}

// liveNodes are as many as the manifests want.
var liveNodes = []string{"node-1", "node-2", "node-3"}

// startLive starts a cluster for the time of the test, with the workloads that
// it is given by name.
func startLive(t *testing.T, workloads []string) *liveCluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "extant-live-")
	if err != nil {
		t.Fatal(err)
	}
	c := &liveCluster{environment: &environment{dir: dir, program: env.program}}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("logs are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	network, err := newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	c.runtime = newLiveRuntime(network)
	c.lead = func(_ context.Context, port int32) error {
		c.runtime.serve(namespace, fmt.Sprintf("127.0.0.1:%d", port))
		return nil
	}
	args, err := network.egressArgs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.plane, err = controlplane.Start(t.Context(), controlplane.Options{
		Assets: filepath.Dir(env.plane.Program("kubectl")), Dir: dir, Pods: true, APIServerArgs: append(args, "--enable-admission-plugins=NodeRestriction"),
	}); err != nil {
		t.Fatal(err)
	}
	c.kube = kubernetes.NewForConfigOrDie(c.plane.Admin.Config)
	c.reviews = versioned.NewForConfigOrDie(c.plane.Admin.Config).ExtantV1alpha1().OutageReviews()
	c.startKubelets(t)
	c.build(t, workloads)
	if err := c.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// startKubelets starts a kubelet for each node, and ends them with the test.
func (c *liveCluster) startKubelets(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	for _, node := range liveNodes {
		name, group := kubelet.UserOf(node)
		user, err := c.plane.NewUser(name, group)
		if err != nil {
			t.Fatal(err)
		}
		played, err := kubelet.New(node, kubernetes.NewForConfigOrDie(user.Config), c.runtime)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, soon, func(ctx context.Context) string {
			if err := played.Register(ctx); err != nil {
				return err.Error()
			}
			return ""
		})
		running.Go(func() { played.Run(ctx) })
	}
}

// as is somebody in whose place the administrator asks.
func (c *liveCluster) as(name string, groups ...string) kubernetes.Interface {
	config := rest.CopyConfig(c.plane.Admin.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: append(groups, "system:authenticated")}
	return kubernetes.NewForConfigOrDie(config)
}

// controller is a controller of kube-controller-manager.
func (c *liveCluster) controller(name string) kubernetes.Interface {
	return c.as("system:serviceaccount:kube-system:"+name, "system:serviceaccounts", "system:serviceaccounts:kube-system")
}

// home is the namespace of a workload.
func home(workload string) string { return workload + "-system" }

// backendOf is the Backend of the webhooks of a workload.
func backendOf(workload string) string { return workload + "." + home(workload) + ".443" }

// build makes workloads and who answers in them: each is a Deployment of one
// pod in a namespace of its own, behind a Service of its name.
func (c *liveCluster) build(t *testing.T, workloads []string) {
	t.Helper()
	ctx := t.Context()
	var services []string
	for _, workload := range workloads {
		services = append(services, workload+"."+home(workload)+".svc")
	}
	c.webhooks = newRecorder(t, services...)
	for _, in := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem} { // which have no Service
		slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "any"}, AddressType: discoveryv1.AddressTypeIPv4}
		if _, err := c.kube.DiscoveryV1().EndpointSlices(in).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, workload := range workloads {
		in, labels := home(workload), map[string]string{"app": workload}
		c.runtime.serve(in, c.webhooks.server.Listener.Addr().String())
		if _, err := c.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: in}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.kube.CoreV1().Services(in).Create(ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: workload},
			Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(8443)}}},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.kube.AppsV1().Deployments(in).Create(ctx, &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: workload},
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: workload, Image: workload}}},
				},
			},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
