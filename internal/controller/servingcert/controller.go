package servingcert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/server/healthz"
	corev1informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var (
	_ dynamiccertificates.CertKeyContentProvider = (*Controller)(nil)
	_ dynamiccertificates.ControllerRunner       = (*Controller)(nil)
	_ healthz.HealthChecker                      = (*Controller)(nil)
)

const (
	// primeTimeout bounds how long the server waits before it listens.
	primeTimeout = 10 * time.Second
	// maxSteps bounds what one sync does: a first start takes about five.
	maxSteps = 10
	// jitter spreads the replicas' looks at the APIService.
	jitter = 0.2
)

// Controller issues and rotates the serving certificate. It is itself the
// certificate that a server is configured with: given as the server's
// CertKeyContentProvider, it is primed before the server listens and run until
// the server has ended, by the library.
type Controller struct {
	config   Config
	provider *provider
	queue    workqueue.TypedRateLimitingInterface[string]
	// lastFailure is logged once, and not at each attempt. Only the worker
	// reads and writes it.
	lastFailure string
}

// New returns a Controller, which presents a placeholder until it runs.
func New(config Config) (*Controller, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	placeholder, err := newProvider(&config)
	if err != nil {
		return nil, err
	}
	return &Controller{
		config:   config,
		provider: placeholder,
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](200*time.Millisecond, 30*time.Second),
			workqueue.TypedRateLimitingQueueConfig[string]{Name: "servingcert", Clock: config.Clock},
		),
	}, nil
}

// RunOnce brings the certificate up to date once, within a bounded time.
func (c *Controller) RunOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, primeTimeout)
	defer cancel()
	return c.sync(ctx)
}

// Run keeps the certificate up to date until the context ends. There is one
// certificate, so the number of workers is not used.
func (c *Controller) Run(ctx context.Context, _ int) {
	ctx = klog.NewContext(ctx, klog.LoggerWithName(klog.FromContext(ctx), "serving-certificate"))
	defer c.queue.ShutDown()
	onlyOurs := func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, c.config.SecretName).String()
	}
	secret := corev1informers.NewFilteredSecretInformer(c.config.Client, c.config.Namespace, 0, cache.Indexers{}, onlyOurs)
	look := func(any) { c.queue.Add(c.config.SecretName) }
	if _, err := secret.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    look,
		UpdateFunc: func(_, changed any) { look(changed) },
		DeleteFunc: look,
	}); err != nil {
		klog.FromContext(ctx).Error(err, "The serving certificate's secret is not watched")
	}
	go secret.RunWithContext(ctx)
	c.queue.Add(c.config.SecretName)
	go wait.UntilWithContext(ctx, func(ctx context.Context) {
		for c.work(ctx) {
		}
	}, time.Second)
	<-ctx.Done()
}

func (c *Controller) work(ctx context.Context) bool {
	key, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(key)
	err := c.sync(ctx)
	c.logTransition(ctx, err)
	if err != nil {
		c.queue.AddRateLimited(key)
		return true
	}
	c.queue.Forget(key)
	c.queue.AddAfter(key, wait.Jitter(c.config.Resync, jitter))
	return true
}

func (c *Controller) logTransition(ctx context.Context, err error) {
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	logger := klog.FromContext(ctx)
	switch {
	case failure == c.lastFailure || ctx.Err() != nil:
		return
	case err != nil:
		logger.Error(err, "The serving certificate cannot be kept up to date", "secret", klog.KRef(c.config.Namespace, c.config.SecretName))
	default:
		logger.Info("The serving certificate is kept up to date again", "secret", klog.KRef(c.config.Namespace, c.config.SecretName))
	}
	c.lastFailure = failure
}

// sync goes on with the rotation until there is nothing to do for now.
func (c *Controller) sync(ctx context.Context) error {
	for range maxSteps {
		settled, err := c.syncStep(ctx)
		switch {
		case apierrors.IsConflict(err):
			// Another replica was faster; what is left to do is decided anew.
			continue
		case err != nil || settled:
			return err
		}
	}
	return errors.New("the serving certificate does not settle: something else writes its secret or the APIService")
}

// syncStep reads everything, and writes at most one thing.
func (c *Controller) syncStep(ctx context.Context) (settled bool, err error) {
	secret, err := c.config.Client.CoreV1().Secrets(c.config.Namespace).Get(ctx, c.config.SecretName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, fmt.Errorf("secret %s/%s does not exist, and Extant has no right to create any: apply Extant's manifests again", c.config.Namespace, c.config.SecretName)
	}
	if err != nil {
		return false, fmt.Errorf("could not read secret %s/%s: %w", c.config.Namespace, c.config.SecretName, err)
	}
	current, err := parseState(secret)
	if err != nil {
		return false, fmt.Errorf("secret %s/%s holds something that Extant did not put there, empty it to have a certificate issued: %w", c.config.Namespace, c.config.SecretName, err)
	}
	// What is in the Secret may be presented whatever comes next: its authority
	// was published before it was issued.
	if current.leaf != nil {
		if err := c.provider.present(ctx, current.leaf); err != nil {
			return false, err
		}
	}
	service, err := c.config.APIServices.Get(ctx, c.config.APIServiceName, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("could not read APIService %s: %w", c.config.APIServiceName, err)
	}
	found := facts{now: c.config.Clock.Now(), registered: err == nil}
	if found.registered {
		// A bundle that cannot be read trusts nobody.
		found.bundle, _ = cert.ParseCertsPEM(service.Spec.CABundle)
	}
	next, done, err := c.config.step(current, found)
	switch {
	case err != nil:
		return false, err
	case done != "":
		return false, c.write(ctx, secret, next, done)
	case !found.registered:
		return true, nil
	}
	return c.publish(ctx, service, found, current)
}

// write stores a step. The resource version makes it fail when another replica
// was faster.
func (c *Controller) write(ctx context.Context, secret *corev1.Secret, next state, done string) error {
	changed := secret.DeepCopy()
	if err := next.store(changed); err != nil {
		return err
	}
	if _, err := c.config.Client.CoreV1().Secrets(c.config.Namespace).Update(ctx, changed, metav1.UpdateOptions{FieldManager: fieldManager}); err != nil {
		return fmt.Errorf("could not write secret %s/%s: %w", c.config.Namespace, c.config.SecretName, err)
	}
	klog.FromContext(ctx).Info(done, "secret", klog.KObj(changed))
	return nil
}

// publish makes the APIService trust exactly what the state does.
func (c *Controller) publish(ctx context.Context, service *apiregistrationv1.APIService, found facts, s state) (settled bool, err error) {
	trusted := s.trusted()
	if sameCertificates(found.bundle, trusted) {
		return true, nil
	}
	bundle, err := cert.EncodeCertificates(trusted...)
	if err != nil {
		return false, fmt.Errorf("could not encode caBundle: %w", err)
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": service.ResourceVersion},
		"spec":     map[string]any{"caBundle": bundle},
	})
	if err != nil {
		return false, err
	}
	if _, err := c.config.APIServices.Patch(ctx, service.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return false, fmt.Errorf("could not patch the caBundle of APIService %s: %w", service.Name, err)
	}
	klog.FromContext(ctx).Info("Changed what the APIService trusts", "apiService", klog.KObj(service), "authorities", len(trusted))
	return false, nil
}
