package integration

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestApplyingTheManifestsWarnsOfNothing(t *testing.T) {
	if env.warnings != "" {
		t.Errorf("kubectl says:\n%s", env.warnings)
	}
}

func TestApplyingTheManifestsAgainChangesNothing(t *testing.T) {
	// kubectl says "configured" of what it sends a patch for, though it be empty.
	versions := func() string {
		t.Helper()
		return kubectl(t, "", "get", "-k", artifacts, "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
	}
	before := versions()
	if _, warnings, err := runKubectl(t, env.plane.Admin, "", "apply", "-k", artifacts); err != nil || warnings != "" {
		t.Errorf("%v\n%s", err, warnings)
	}
	if diff := cmp.Diff(before, versions()); diff != "" {
		t.Errorf("versions of the objects (-before +after):\n%s", diff)
	}
}

func TestEveryOverlayIsAccepted(t *testing.T) {
	overlays, err := filepath.Glob(artifacts + "/overlays/*")
	if err != nil || len(overlays) == 0 {
		t.Fatal("there are no overlays", err)
	}
	for _, overlay := range overlays {
		t.Run(filepath.Base(overlay), func(t *testing.T) {
			_, warnings, err := runKubectl(t, env.plane.Admin, "", "apply", "-k", overlay, "--dry-run=server")
			if err != nil {
				t.Fatal(warnings)
			}
			// A dry run is judged by the labels that the namespace has.
			if warnings != "" && filepath.Base(overlay) != "host-network" {
				t.Error(warnings)
			}
		})
	}
}

// podTemplates are those of the manifests.
func podTemplates(t *testing.T) map[string]corev1.PodTemplateSpec {
	t.Helper()
	kube, templates := kubeClient(t), map[string]corev1.PodTemplateSpec{}
	deployments, err := kube.AppsV1().Deployments(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, workload := range deployments.Items {
		templates["Deployment "+workload.Name] = workload.Spec.Template
	}
	sets, err := kube.AppsV1().StatefulSets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, workload := range sets.Items {
		// A StatefulSet's controller puts its claims there.
		for _, claim := range workload.Spec.VolumeClaimTemplates {
			workload.Spec.Template.Spec.Volumes = append(workload.Spec.Template.Spec.Volumes, corev1.Volume{Name: claim.Name})
		}
		templates["StatefulSet "+workload.Name] = workload.Spec.Template
	}
	jobs, err := kube.BatchV1().CronJobs(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, workload := range jobs.Items {
		templates["CronJob "+workload.Name] = workload.Spec.JobTemplate.Spec.Template
	}
	return templates
}

func TestPodsOfTheManifestsAreAdmittedAndOthersAreNot(t *testing.T) {
	pods := kubeClient(t).CoreV1().Pods(namespace)
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	templates := podTemplates(t)
	if len(templates) != 3 {
		t.Errorf("got %d workloads", len(templates))
	}
	for name, template := range templates {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: template.Labels}, Spec: template.Spec}
		if _, err := pods.Create(t.Context(), pod, dryRun); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		pod.Spec.Containers[0].SecurityContext = nil
		if _, err := pods.Create(t.Context(), pod, dryRun); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
			t.Errorf("%s without a security context: got %v, want a refusal", name, err)
		}
	}
}

func TestExtantReportsItself(t *testing.T) {
	eventually(t, soon, func(ctx context.Context) string {
		self, err := extantClient(t).Extensions().Get(ctx, "extant", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		found := map[string]bool{}
		for _, component := range self.Status.Components {
			found[component.Resource+"/"+component.Name] = true
		}
		for _, want := range []string{"apiservices/" + apiServiceName, "deployments/extant-apiserver", "statefulsets/extant-etcd"} {
			if !found[want] {
				return want + " is no component of it"
			}
		}
		return ""
	})
}

func TestVersionsInTheManifestsAreThoseOfTheTree(t *testing.T) {
	version := submatch(t, "Makefile", `(?m)^VERSION \?= (\S+)$`)
	etcd := submatch(t, "hack/tools/controlplane/go.mod", `(?m)^\tgo\.etcd\.io/etcd/server/v3 (\S+)$`)
	images := map[string]string{
		"Deployment extant-apiserver": "ghcr.io/extant-project/extant-apiserver:" + version,
		"CronJob extant-pki":          "ghcr.io/extant-project/extant-apiserver:" + version,
		"StatefulSet extant-etcd":     "gcr.io/etcd-development/etcd:" + etcd,
	}
	for name, template := range podTemplates(t) {
		if got := template.Spec.Containers[0].Image; got != images[name] {
			t.Errorf("%s runs %s, want %s", name, got, images[name])
		}
	}
	language := submatch(t, "go.mod", `(?m)^go (\d+\.\d+)`)
	if got := submatch(t, "Dockerfile", `(?m)^FROM golang:(\S+)`); got != language {
		t.Errorf("the image is built with Go %s, and the module wants %s", got, language)
	}
}

// submatch finds what is in the parentheses of an expression in a file of the
// tree.
func submatch(t *testing.T, file, expression string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(expression).FindSubmatch(content)
	if found == nil {
		t.Fatalf("%s has no %s", file, expression)
	}
	return string(found[1])
}
