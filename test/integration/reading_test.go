package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions"
)

func TestSelectorsNarrowAList(t *testing.T) {
	eventually(t, soon, func(context.Context) string {
		return missing(kubectl(t, "", "get", "extp", "-o", "name"), "client-go-credential-plugin", "kube-apiserver-flags", "kms-plugin")
	})
	webhooks := kubectl(t, "", "get", "extp", "-o", "name", "--field-selector=spec.pattern=Webhook,spec.caller=kube-apiserver")
	wantIn(t, webhooks, "mutating-admission-webhook", "audit-webhook")
	for _, other := range []string{"scheduler-extender", "rbac", "cni-plugin"} {
		if strings.Contains(webhooks, "/"+other+"\n") {
			t.Errorf("%s is in:\n%s", other, webhooks)
		}
	}
	if one := kubectl(t, "", "get", "extp", "-o", "name", "--field-selector=metadata.name=rbac"); one != "extensionpoint.extant.dev/rbac\n" {
		t.Errorf("by name: %s", one)
	}
	wantIn(t, kubectlFails(t, env.plane.Admin, "", "get", "extp", "--field-selector=spec.summary=x"), "BadRequest", "spec.summary")

	if none := kubectl(t, "", "get", "extp", "-o", "name", "-l", "extant.dev/origin!=builtin"); none != "" {
		t.Errorf("not built in: %s", none)
	}
	wantIn(t, kubectl(t, "", "get", "extp", "-o", "name", "-l", "extant.dev/origin=builtin"), "extensionpoint.extant.dev/rbac")
}

// missing names what is not in a text.
func missing(text string, wanted ...string) string {
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			return want + " is missing"
		}
	}
	return ""
}

func TestAListComesInChunks(t *testing.T) {
	ctx, points := t.Context(), extantClient(t).ExtensionPoints()
	whole, err := points.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	options := metav1.ListOptions{Limit: 7}
	for chunks := 0; ; chunks++ {
		chunk, err := points.List(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.Items) > 7 {
			t.Fatalf("a chunk of %d", len(chunk.Items))
		}
		for _, point := range chunk.Items {
			seen[point.Name] = true
		}
		if options.Continue = chunk.Continue; options.Continue == "" {
			break
		}
	}
	if len(seen) != len(whole.Items) || len(seen) < 30 {
		t.Errorf("%d in chunks, %d at once", len(seen), len(whole.Items))
	}
	kubectl(t, "", "get", "extp", "--chunk-size=7")
}

func TestAWatchThroughTheAggregatorSeesAnUpdate(t *testing.T) {
	ctx, extensions := t.Context(), extantClient(t).Extensions()
	deleteAfterwards(t, "watched")
	created, err := extensions.Create(ctx, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "watched"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := extensions.Watch(ctx, metav1.ListOptions{ResourceVersion: created.ResourceVersion, FieldSelector: "metadata.name=watched"})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if _, err := extensions.Patch(ctx, "watched", types.MergePatchType, []byte(`{"spec":{"owner":"seen"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for {
		select {
		case event, open := <-watcher.ResultChan():
			if !open {
				t.Fatal("the watch ended")
			}
			if seen, ok := event.Object.(*v1alpha1.Extension); ok && event.Type == watch.Modified && seen.Spec.Owner == "seen" {
				return
			}
		case <-limited.Done():
			t.Fatal("the update was not seen")
		}
	}
}

func TestKubectlWaitsForAConditionOfAnExtension(t *testing.T) {
	deleteAfterwards(t, "awaited")
	kubectl(t, extensionNamed("awaited")+`  components:
  - {group: "", resource: namespaces, name: default}
`, "create", "-f", "-")
	kubectl(t, "", "wait", "--for=condition=Discovered", "extension/awaited", "--timeout=20s")
	kubectl(t, "", "wait", "--for=jsonpath={.status.observedGeneration}=1", "extension/awaited", "--timeout=20s")
}

func TestAnInformerOfTheGeneratedClientsetFollows(t *testing.T) {
	ctx := t.Context()
	clientset, err := versioned.NewForConfig(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(clientset, 0)
	kind := factory.Extant().V1alpha1().Extensions()
	informer, lister := kind.Informer(), kind.Lister()
	factory.Start(ctx.Done())
	limited, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	if !cache.WaitForCacheSync(limited.Done(), informer.HasSynced) {
		t.Fatal("the informer did not sync")
	}
	deleteAfterwards(t, "followed")
	if _, err := clientset.ExtantV1alpha1().Extensions().Create(ctx, &v1alpha1.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: "followed"}, Spec: v1alpha1.ExtensionSpec{Owner: "informer"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(context.Context) string {
		found, err := lister.Get("followed")
		if err != nil {
			return err.Error()
		}
		if found.Spec.Owner != "informer" {
			return fmt.Sprintf("its owner is %q", found.Spec.Owner)
		}
		return ""
	})
	if err := clientset.ExtantV1alpha1().Extensions().Delete(ctx, "followed", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, soon, func(context.Context) string {
		if _, err := lister.Get("followed"); err == nil {
			return "it is still there"
		}
		return ""
	})
}
