// Package kubelet plays kubelets for tests, with the requests that real ones
// make, as the users that they are: a Node that stays alive, and for each pod
// that is bound to it what its volumes need, its start, its status and the end
// of its deletion. What runs in a pod is up to a Runtime. Nothing is probed, no
// image is pulled, and of volumes only what projected ones come from is asked
// for.
package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

const (
	// heartbeat is how often the lease of the node is renewed.
	heartbeat = 10 * time.Second
	// What failed is tried again after so long. Real kubelets are slower.
	retrySoonest, retryLatest = 50 * time.Millisecond, time.Second
)

// UserOf is the user and the group as whom the kubelet of a node talks to the
// API server.
func UserOf(node string) (name, group string) {
	return "system:node:" + node, "system:nodes"
}

// Runtime runs pods.
type Runtime interface {
	// Start starts a pod, unless it runs already, and returns its address. A
	// pod that cannot start is tried again.
	Start(pod *corev1.Pod) (ip string, err error)
	// Stop stops a pod, if it runs.
	Stop(pod types.UID)
}

// Kubelet is the kubelet of one node.
type Kubelet struct {
	node    string
	client  kubernetes.Interface
	runtime Runtime

	informers informers.SharedInformerFactory
	pods      listers.PodLister
	queue     workqueue.TypedRateLimitingInterface[types.NamespacedName]
}

// New returns the kubelet of a node. The client is that of UserOf the node.
func New(node string, client kubernetes.Interface, runtime Runtime) (*Kubelet, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}))
	k := &Kubelet{
		node: node, client: client, runtime: runtime,
		informers: factory, pods: factory.Core().V1().Pods().Lister(),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](retrySoonest, retryLatest)),
	}
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(added any) { k.enqueue(added) },
		UpdateFunc: k.replaced,
		DeleteFunc: k.deleted,
	})
	return k, err
}

// Run plays until the context ends. It is done when nothing of it is left.
func (k *Kubelet) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { wait.UntilWithContext(ctx, k.beat, heartbeat) })
	k.informers.StartWithContext(ctx)
	defer k.informers.Shutdown()
	defer k.queue.ShutDown()
	running.Go(func() {
		for k.next(ctx) {
		}
	})
	<-ctx.Done()
}

func (k *Kubelet) enqueue(pod any) {
	if pod, ok := pod.(*corev1.Pod); ok {
		k.queue.Add(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	}
}

func (k *Kubelet) replaced(before, after any) {
	older, ok := before.(*corev1.Pod)
	newer, also := after.(*corev1.Pod)
	if ok && also && older.UID != newer.UID {
		k.runtime.Stop(older.UID)
	}
	k.enqueue(after)
}

func (k *Kubelet) deleted(last any) {
	if unknown, ok := last.(cache.DeletedFinalStateUnknown); ok {
		last = unknown.Obj
	}
	if pod, ok := last.(*corev1.Pod); ok {
		k.runtime.Stop(pod.UID)
	}
}

// next does what one pod needs, and tells whether there is more to come.
func (k *Kubelet) next(ctx context.Context) bool {
	key, quit := k.queue.Get()
	if quit {
		return false
	}
	defer k.queue.Done(key)
	err := k.sync(ctx, key)
	if err == nil {
		k.queue.Forget(key)
		return true
	}
	klog.FromContext(ctx).V(2).Info("Pod is not as it should be", "node", k.node, "pod", key, "err", err)
	k.queue.AddRateLimited(key)
	return true
}

func (k *Kubelet) sync(ctx context.Context, key types.NamespacedName) error {
	pod, err := k.pods.Pods(key.Namespace).Get(key.Name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case pod.DeletionTimestamp != nil:
		return k.finish(ctx, pod)
	case pod.Status.Phase != corev1.PodPending:
		return nil
	}
	if err := k.mount(ctx, pod); err != nil {
		return fmt.Errorf("could not mount volumes: %w", err)
	}
	ip, err := k.runtime.Start(pod)
	if err != nil {
		return fmt.Errorf("could not start: %w", err)
	}
	running := pod.DeepCopy()
	running.Status = statusOf(pod, ip)
	_, err = k.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, running, metav1.UpdateOptions{})
	return err
}

// finish stops a pod that somebody deleted, and lets go of it.
func (k *Kubelet) finish(ctx context.Context, pod *corev1.Pod) error {
	k.runtime.Stop(pod.UID)
	now := *metav1.NewDeleteOptions(0)
	now.Preconditions = metav1.NewUIDPreconditions(string(pod.UID))
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, now)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
