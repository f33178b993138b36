package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	"github.com/extant-project/extant/test/controlplane"
)

// staticCluster is a control plane whose API server loads webhooks from files,
// and Extant that was given the same files.
type staticCluster struct {
	*recorder
	dir    string
	kube   kubernetes.Interface
	extant versioned.Interface
}

// startStatic starts one with a mutating and a validating webhook of files.
func startStatic(t *testing.T) *staticCluster {
	t.Helper()
	c := &staticCluster{recorder: newRecorder(t), dir: t.TempDir()}
	for _, kind := range []string{"Mutating", "Validating"} {
		if err := os.Mkdir(filepath.Join(c.dir, kind), 0o700); err != nil {
			t.Fatal(err)
		}
		c.write(t, kind, "first")
	}
	configuration := filepath.Join(t.TempDir(), "admission.yaml")
	text := "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n"
	for _, kind := range []string{"Mutating", "Validating"} {
		text += fmt.Sprintf("- name: %[1]sAdmissionWebhook\n  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, staticManifestsDir: %[2]s/%[1]s}\n", kind, c.dir)
	}
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plane, err := controlplane.Start(t.Context(), controlplane.Options{
		Assets: filepath.Dir(env.plane.Program("kubectl")), Dir: t.TempDir(), APIServerArgs: []string{"--admission-control-config-file=" + configuration},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	c.kube = kubernetes.NewForConfigOrDie(plane.Admin.Config)

	// The path of etcd's socket must be short.
	dir, err := os.MkdirTemp("", "extant-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	kubeconfig := filepath.Join(dir, "kubeconfig")
	server := &controlplane.Process{Name: "extant-standalone", Path: env.program, Dir: dir, Env: []string{"TMPDIR=" + dir}, Args: []string{
		"--standalone", "--secure-port=0", "--data-dir=" + filepath.Join(dir, "data"), "--kubeconfig-out=" + kubeconfig,
		"--observe-kubeconfig=" + plane.Admin.Kubeconfig, "--observe-static-admission=" + c.dir,
	}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(server.Tail(40))
		}
	})
	eventually(t, time.Minute, func(context.Context) string {
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return err.Error()
		}
		c.extant = versioned.NewForConfigOrDie(config)
		return ""
	})
	return c
}

// write writes the file with the static webhook of that kind. The name of the
// hook is also what the recorder is called by. The file is replaced, so that it
// is never seen half written.
func (c *staticCluster) write(t *testing.T, kind, name string) {
	t.Helper()
	name = strings.ToLower(kind) + "-" + name
	text := fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: %sWebhookConfiguration
metadata: {name: %s.static.k8s.io}
webhooks:
- name: %[2]s.example.com
  clientConfig: {url: %[3]q, caBundle: %[4]s}
  rules: [{operations: [CREATE], apiGroups: ["", admissionregistration.k8s.io], apiVersions: [v1], resources: [configmaps, validatingwebhookconfigurations], scope: "*"}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
`, kind, name, c.server.URL+"/"+name, base64.StdEncoding.EncodeToString(c.caBundle))
	beside := filepath.Join(t.TempDir(), "static.yaml")
	if err := os.WriteFile(beside, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(beside, filepath.Join(c.dir, kind, "static.yaml")); err != nil {
		t.Fatal(err)
	}
}

// register makes the API register a webhook for the same objects.
func (c *staticCluster) register(t *testing.T, name string) {
	t.Helper()
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: name + ".example.com", ClientConfig: c.clientConfig(name), FailurePolicy: new(admissionregistrationv1.Fail),
			SideEffects: new(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{"", admissionregistrationv1.GroupName}, APIVersions: []string{"v1"}, Resources: []string{"configmaps", "validatingwebhookconfigurations"},
				},
			}},
		}},
	}
	if _, err := c.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), configuration, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// predicted returns who a review says is called for a request. Validating
// webhooks are called at once, so that their order says nothing.
func (c *staticCluster) predicted(ctx context.Context, request v1alpha1.ReviewedRequest) (string, error) {
	review, err := c.extant.ExtantV1alpha1().RequestReviews().Create(ctx, &v1alpha1.RequestReview{Spec: v1alpha1.RequestReviewSpec{
		Request: request, User: &authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters"}},
		Assume: v1alpha1.RequestAssumptions{Backends: v1alpha1.BackendsAllAvailable},
	}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	var hooks []string
	for _, hop := range review.Status.Hops {
		if hop.Outcome == v1alpha1.OutcomeCalled {
			hooks = append(hooks, strings.TrimSuffix(hop.Hook, ".example.com"))
		}
	}
	slices.Sort(hooks)
	return fmt.Sprint(review.Status.Verdict, " ", hooks), nil
}

// called returns who was called since it was last asked.
func (c *staticCluster) called() string {
	var hooks []string
	for _, call := range c.take() {
		hooks = append(hooks, call.Hook)
	}
	slices.Sort(hooks)
	return fmt.Sprint("Allowed ", hooks)
}

// TestStaticWebhooksAreReviewedAsTheAPIServerCallsThem declares the files from
// which the API server loads webhooks, and makes requests to both: before and
// after the files change.
func TestStaticWebhooksAreReviewedAsTheAPIServerCallsThem(t *testing.T) {
	c := startStatic(t)
	c.register(t, "registered")
	configMap := v1alpha1.ReviewedRequest{
		Operation: v1alpha1.OperationCreate, Version: "v1", Resource: "configmaps", Namespace: "default", Name: "one",
		Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","namespace":"default"}}`)},
	}
	webhook := v1alpha1.ReviewedRequest{
		Operation: v1alpha1.OperationCreate, Group: admissionregistrationv1.GroupName, Version: "v1", Resource: "validatingwebhookconfigurations", Name: "other",
		Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"other"}}`)},
	}
	agree := func(request v1alpha1.ReviewedRequest, send func(ctx context.Context) error, want string) {
		t.Helper()
		eventually(t, 3*time.Minute, func(ctx context.Context) string { // files are read every minute where a change goes unnoticed
			c.take()
			if err := send(ctx); err != nil {
				return err.Error()
			}
			called := c.called()
			if predicted, err := c.predicted(ctx, request); err != nil || predicted != want {
				return fmt.Sprintf("the review says %s (%v), not %s", predicted, err, want)
			}
			if called != want {
				return fmt.Sprintf("the API server says %s, not %s", called, want)
			}
			return ""
		})
	}
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	sendConfigMap := func(ctx context.Context) error {
		_, err := c.kube.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}}, dry)
		return err
	}
	sendWebhook := func(ctx context.Context) error {
		_, err := c.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx,
			&admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "other"}}, dry)
		return err
	}
	agree(configMap, sendConfigMap, "Allowed [mutating-first registered validating-first]")
	// What the API registers never sees webhook configurations; files do.
	agree(webhook, sendWebhook, "Allowed [mutating-first validating-first]")

	c.write(t, "Validating", "second")
	agree(configMap, sendConfigMap, "Allowed [mutating-first registered validating-second]")
}
