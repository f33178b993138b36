package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/util/retry"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/internal/requestpath/builtin"
)

// TestWhatHooksReceiveIsPredicted sends objects of many kinds and holds what
// hooks of both phases receive against what internal/requestpath/builtin knows:
// each difference from what was sent must be one that it tells of, and what it
// says comes for sure must be there.
func TestWhatHooksReceiveIsPredicted(t *testing.T) {
	s, all := newSender(t, "received"), t
	for _, sent := range readObjects(t, "testdata/received.yaml") {
		name := sent.GetName() + sent.GetGenerateName()
		t.Run(fmt.Sprintf("%s-%s-%s", sent.GetKind(), sent.GroupVersionKind().Version, name), func(t *testing.T) {
			s.create(t, all, sent)
		})
	}
}

// sender sends objects and looks at what the recorder receives.
type sender struct {
	recorder *recorder
	client   dynamic.Interface
	mapper   meta.RESTMapper
	scheme   *runtime.Scheme
	// namespace is where it creates objects.
	namespace string
}

func newSender(t *testing.T, namespace string) *sender {
	t.Helper()
	user := newUser(t, "received-sender", "system:masters")
	client, err := dynamic.NewForConfig(user.Config)
	if err != nil {
		t.Fatal(err)
	}
	kube := kubeClient(t)
	s := &sender{
		recorder: newRecorder(t), client: client, scheme: runtime.NewScheme(), namespace: namespace,
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kube.Discovery())),
	}
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme} {
		if err := add(s.scheme); err != nil {
			t.Fatal(err)
		}
	}
	s.prepareNamespace(t)
	s.register(t)
	return s
}

// prepareNamespace creates the namespace, with the account that pods get.
func (s *sender) prepareNamespace(t *testing.T) {
	t.Helper()
	kube := kubeClient(t)
	_, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kube.CoreV1().Namespaces().Delete(context.Background(), s.namespace, metav1.DeleteOptions{})
	})
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := kube.CoreV1().ServiceAccounts(s.namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// register makes the recorder hooks of both phases for all that the sender
// sends, and waits until they are called.
func (s *sender) register(t *testing.T) {
	t.Helper()
	ignore, none, equivalent := admissionregistrationv1.Ignore, admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Exact
	rules := []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{"CREATE", "UPDATE"},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{"*/*"}},
	}}
	mine := []admissionregistrationv1.MatchCondition{{Name: "mine", Expression: `request.userInfo.username == "received-sender"`}}
	configurations := kubeClient(t).AdmissionregistrationV1()
	name := metav1.ObjectMeta{Name: "received"}
	if _, err := configurations.MutatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: name, Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "mutating.example.com", ClientConfig: s.recorder.clientConfig("mutating"), Rules: rules, MatchConditions: mine, MatchPolicy: &equivalent,
			FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = configurations.MutatingWebhookConfigurations().Delete(context.Background(), "received", metav1.DeleteOptions{})
	})
	if _, err := configurations.ValidatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: name, Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "validating.example.com", ClientConfig: s.recorder.clientConfig("validating"), Rules: rules, MatchConditions: mine, MatchPolicy: &equivalent,
			FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = configurations.ValidatingWebhookConfigurations().Delete(context.Background(), "received", metav1.DeleteOptions{})
	})
	probe := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "probe"}}}
	eventually(t, soon, func(ctx context.Context) string {
		configMaps := s.client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(s.namespace)
		if _, err := configMaps.Create(ctx, probe.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
			return err.Error()
		}
		if calls := s.recorder.take(); len(calls) < 2 {
			return "the hooks are not called yet"
		}
		return ""
	})
}

// create creates an object, updates it, and updates its status. The object is
// there until all tests ended.
func (s *sender) create(t, all *testing.T, sent *unstructured.Unstructured) {
	mapping, err := s.mapper.RESTMapping(sent.GroupVersionKind().GroupKind(), sent.GroupVersionKind().Version)
	if err != nil {
		t.Fatal(err)
	}
	var client dynamic.ResourceInterface = s.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = s.client.Resource(mapping.Resource).Namespace(s.namespace)
	}
	s.recorder.take()
	created, err := client.Create(t.Context(), sent.DeepCopy(), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all.Cleanup(func() { remove(client, created.GetName()) })
	s.check(t, sent, "")

	update := sent.DeepCopy()
	update.SetName(created.GetName())
	update.SetGenerateName("")
	update.SetResourceVersion(created.GetResourceVersion())
	update.SetLabels(map[string]string{"updated": "true", "a": "b", "app": "a"})
	if _, err := client.Update(t.Context(), update.DeepCopy(), metav1.UpdateOptions{}); err == nil {
		s.check(t, update, "")
	}
	// Else a field that cannot be changed was defaulted or allocated.
	s.change(t, client, created.GetName(), "")
	s.change(t, client, created.GetName(), "status")
}

// change changes an object as it is stored.
func (s *sender) change(t *testing.T, client dynamic.ResourceInterface, name, subresource string) {
	t.Helper()
	var sent *unstructured.Unstructured
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() (err error) {
		if sent, err = client.Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		annotations := map[string]string{"changed": subresource}
		maps.Copy(annotations, sent.GetAnnotations())
		sent.SetAnnotations(annotations)
		sent.SetLabels(map[string]string{"changed": "true", "a": "b", "app": "a"})
		s.recorder.take()
		if subresource == "status" {
			_, err = client.UpdateStatus(t.Context(), sent.DeepCopy(), metav1.UpdateOptions{})
		} else {
			_, err = client.Update(t.Context(), sent.DeepCopy(), metav1.UpdateOptions{})
		}
		return err
	})
	switch {
	case err == nil:
		s.check(t, sent, subresource)
	case subresource == "":
		t.Error(err)
	case !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err):
		t.Errorf("the update of the status is refused: %v", err)
	}
}

// remove deletes an object whose finalizers nobody sees to.
func remove(client dynamic.ResourceInterface, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := int64(0)
	_ = client.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if left, err := client.Get(ctx, name, metav1.GetOptions{}); err == nil && len(left.GetFinalizers()) > 0 {
		left.SetFinalizers(nil)
		_, _ = client.Update(ctx, left, metav1.UpdateOptions{})
	}
}

// check holds what the hooks received of one request against what was to be
// expected of what was sent.
func (s *sender) check(t *testing.T, sent *unstructured.Unstructured, subresource string) {
	t.Helper()
	calls := s.recorder.take()
	seen := map[string]bool{}
	for _, call := range calls {
		if call.Request.SubResource != subresource {
			continue
		}
		phase := builtin.Mutating
		if call.Hook == "validating" {
			phase = builtin.Validating
		}
		seen[call.Hook] = true
		for _, difference := range s.differences(t, call.Request, sent, phase) {
			t.Errorf("%s %s: %s", call.Hook, call.Request.Operation, difference)
		}
	}
	exempt := strings.HasSuffix(sent.GroupVersionKind().Group, "admissionregistration.k8s.io")
	if !exempt && len(seen) < 2 {
		t.Errorf("only %d hooks were called", len(seen))
	}
}

func (s *sender) differences(t *testing.T, request *admissionv1.AdmissionRequest, sent *unstructured.Unstructured, phase builtin.Phase) []string {
	t.Helper()
	var received map[string]any
	if err := utiljson.Unmarshal(request.Object.Raw, &received); err != nil {
		t.Fatal(err)
	}
	object := s.typed(t, sent)
	changes := builtin.Request{
		Resource:    schema.GroupResource{Group: request.Resource.Group, Resource: request.Resource.Resource},
		Subresource: request.SubResource, Operation: admission.Operation(request.Operation), Kind: sent.GroupVersionKind(),
	}.Changes(object, phase)
	expected, doubt := changes.Settle(object)
	var found []string
	compare(&found, "", expected, received, doubt)
	return found
}

// typed is an object as its type has it.
func (s *sender) typed(t *testing.T, sent *unstructured.Unstructured) map[string]any {
	t.Helper()
	typed, err := s.scheme.New(sent.GroupVersionKind())
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, typed); err != nil {
		t.Fatal(err)
	}
	typed.GetObjectKind().SetGroupVersionKind(sent.GroupVersionKind())
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// compare notes where what was received is neither what was expected nor in
// doubt.
func compare(found *[]string, path string, expected, received any, doubt *builtin.Node) {
	if doubt != nil && doubt.Changes {
		return
	}
	switch expected := expected.(type) {
	case map[string]any:
		received, ok := received.(map[string]any)
		if !ok {
			break
		}
		for _, name := range names(expected, received) {
			e, there := expected[name]
			r, is := received[name]
			field := doubt.Field(name)
			switch {
			case e == nil && r == nil:
			case there && is:
				compare(found, path+"."+name, e, r, field)
			case there && (field == nil || !field.Changes) && !vanishes(e, field):
				*found = append(*found, fmt.Sprintf("%s.%s is gone: %v", path, name, e))
			case is && !there && (field == nil || !field.Appears):
				*found = append(*found, fmt.Sprintf("%s.%s is new: %v", path, name, r))
			}
		}
		return
	case []any:
		received, ok := received.([]any)
		if !ok || len(received) != len(expected) {
			break
		}
		for i := range expected {
			var item *builtin.Node
			if doubt != nil {
				item = doubt.Items
			}
			compare(found, fmt.Sprintf("%s[%d]", path, i), expected[i], received[i], item)
		}
		return
	}
	if !reflect.DeepEqual(expected, received) {
		*found = append(*found, fmt.Sprintf("%s is %v, not %v", path, received, expected))
	}
}

// vanishes tells whether each entry of a map may vanish, and it with them.
func vanishes(value any, doubt *builtin.Node) bool {
	entries, ok := value.(map[string]any)
	for name := range entries {
		if field := doubt.Field(name); field == nil || !field.Changes {
			return false
		}
	}
	return ok
}

func names(x, y map[string]any) []string {
	var all []string
	for name := range x {
		all = append(all, name)
	}
	for name := range y {
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func readObjects(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
}
