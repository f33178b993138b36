package cluster

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func serviceIn(namespace, name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func namesOf[T Object](seq func(func(T) bool)) []string {
	var names []string
	for object := range seq {
		names = append(names, object.GetNamespace()+"/"+object.GetName())
	}
	return names
}

func TestATableIsInOrderOfNamespaceAndName(t *testing.T) {
	b := NewBuilder("dump")
	for _, s := range []*corev1.Service{serviceIn("b", "y"), serviceIn("a", "z"), serviceIn("b", "x"), serviceIn("a-b", "a"), serviceIn("", "n")} {
		b.Put(servicesResource, s)
	}
	table := b.Snapshot().Services()
	if diff := cmp.Diff([]string{"/n", "a/z", "a-b/a", "b/x", "b/y"}, namesOf(table.All())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b/x", "b/y"}, namesOf(table.InNamespace("b"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string(nil), namesOf(table.InNamespace("c"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "a", "a-b", "b"}, slices.Collect(table.Namespaces())); diff != "" {
		t.Error(diff)
	}
	for range table.All() {
		break // must not go on
	}
	for range table.Namespaces() {
		break
	}
}

func TestTheZeroTableIsEmpty(t *testing.T) {
	table := NewBuilder("dump").Snapshot().Services()
	if _, ok := table.Get("a", "b"); ok || table.Len() != 0 || namesOf(table.All()) != nil || namesOf(table.InNamespace("a")) != nil {
		t.Error("it is not empty")
	}
}

func TestTheRevisionTellsWhetherWhatIsReadHasChanged(t *testing.T) {
	b := NewBuilder("dump")
	b.Put(servicesResource, service("a"))
	first := b.Snapshot()
	b.Put(podsResource, pod("a", corev1.PodRunning))
	second := b.Snapshot()
	if first.Revision(servicesResource) != second.Revision(servicesResource) {
		t.Error("a pod changed the revision of services")
	}
	if first.Revision(servicesResource, podsResource) == second.Revision(servicesResource, podsResource) {
		t.Error("a pod did not change the revision of pods")
	}
	last := second
	for _, change := range []struct {
		what string
		make func()
	}{
		{"a gap", func() { b.SetGaps("pods", Gap{Reason: GapForbidden}) }},
		{"the gap's end", func() { b.SetGaps("pods") }},
		{"the version", func() { b.SetVersion("v1.30.0") }},
		{"the discovery", func() { b.SetDiscovery(BuiltinDiscovery("v1.30.0")) }},
		{"the end of a resource", func() { b.Forget(podsResource) }},
	} {
		change.make()
		next := b.Snapshot()
		if next == last || next.Revision(servicesResource) == last.Revision(servicesResource) {
			t.Errorf("%s did not change the revision", change.what)
		}
		last = next
	}
}

func TestOnlyADecidingGapDecides(t *testing.T) {
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	b := NewBuilder("dump")
	b.SetGaps("deployments.apps", Gap{Reason: GapNotInDump, Message: "b"}, Gap{Reason: GapAssumed, Message: "a"})
	if gap, ok := b.Snapshot().DecidingGap(deployments); ok {
		t.Errorf("got %v", gap)
	}
	b.SetGaps("pods", Gap{Reason: GapForbidden})
	b.SetGaps("deployments.apps", Gap{Reason: GapNotInDump}, Gap{Reason: GapMalformed, Message: "why"})
	want := Gap{Resource: "deployments.apps", Reason: GapMalformed, Message: "why"}
	if gap, ok := b.Snapshot().DecidingGap(deployments); !ok || gap != want {
		t.Errorf("got %v, want %v", gap, want)
	}
	reasons := map[GapReason]bool{
		GapForbidden: true, GapNotServed: true, GapNotSynced: true, GapMalformed: true, GapNotInDump: false, GapAssumed: false,
	}
	for reason, want := range reasons {
		if reason.Decides() != want {
			t.Errorf("%s decides: %v", reason, !want)
		}
	}
}

func TestGapsAreInOrder(t *testing.T) {
	b := NewBuilder("dump")
	b.SetGaps("pods", Gap{Reason: GapMalformed, Message: "b"}, Gap{Reason: GapMalformed, Message: "a"}, Gap{Reason: GapAssumed})
	b.SetGaps("nodes", Gap{Reason: GapNotInDump})
	want := []Gap{{"nodes", GapNotInDump, ""}, {"pods", GapAssumed, ""}, {"pods", GapMalformed, "a"}, {"pods", GapMalformed, "b"}}
	if diff := cmp.Diff(want, b.Snapshot().Gaps()); diff != "" {
		t.Error(diff)
	}
}

func TestAVersionThatIsNoneIsTheNewestKnown(t *testing.T) {
	b := NewBuilder("dump")
	for given, want := range map[string]string{"v1.29.3-gke.100": "1.29.3", "v1.30": "1.30", "nonsense": NewestVersion[1:]} {
		b.SetVersion(given)
		if got := b.Snapshot().Version().String(); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestDiscoveryKeepsTheOrderOfPreference(t *testing.T) {
	hpas := schema.GroupResource{Group: "autoscaling", Resource: "horizontalpodautoscalers"}
	resource := func(version, subresource string) APIResource {
		return APIResource{Group: hpas.Group, Version: version, Resource: hpas.Resource, Subresource: subresource,
			Kind: schema.GroupVersionKind{Kind: "HorizontalPodAutoscaler"}, Namespaced: true}
	}
	given := []APIResource{resource("v2", ""), resource("v2", "status"), resource("v1", "")}
	d := NewDiscovery(given)
	if given[0].Kind.Version != "" {
		t.Error("the argument was changed")
	}
	var versions []string
	for _, v := range d.Versions(hpas) {
		versions = append(versions, v.Kind.GroupVersion().String())
	}
	if diff := cmp.Diff([]string{"autoscaling/v2", "autoscaling/v1"}, versions); diff != "" {
		t.Error(diff)
	}
	if !d.Serves(hpas) || d.Serves(podsResource) {
		t.Error("it serves something else")
	}
	if r, ok := d.ResourceOf(schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}); !ok || r.Version != "v2" || r.Subresource != "" {
		t.Errorf("got %v", r)
	}
	if _, ok := d.ResourceOf(schema.GroupKind{Kind: "Pod"}); ok {
		t.Error("a kind is known that is not served")
	}
	slices.Reverse(given)
	if !d.Equal(NewDiscovery(d.All())) || d.Equal(NewDiscovery(given)) || d.Equal(&Discovery{}) {
		t.Error("equality is something else")
	}
}

func TestLabelsAreTheSetTheyWereMadeOf(t *testing.T) {
	set := map[string]string{"app": "web", "empty": "", "tier": "front"}
	l := LabelsOf(set)
	if diff := cmp.Diff(set, l.Map()); diff != "" {
		t.Error(diff)
	}
	if l != LabelsOf(map[string]string{"tier": "front", "empty": "", "app": "web"}) {
		t.Error("equal sets differ")
	}
	if value, ok := l.Lookup("empty"); value != "" || !ok || !l.Has("empty") || l.Get("app") != "web" {
		t.Error("a label is not found")
	}
	if l.Has("ap") || l.Has("front") || l.Get("none") != "" || (Labels{}).Has("app") || LabelsOf(nil).Has("") {
		t.Error("a label is found that is not in the set")
	}
	for selector, want := range map[string]bool{"app=web": true, "app!=web": false, "!absent": true, "tier in (front, back)": true, "absent": false} {
		parsed, err := labels.Parse(selector)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Matches(l) != want {
			t.Errorf("%s matches: %v", selector, !want)
		}
	}
}

func TestAPodIsWhatEnginesRead(t *testing.T) {
	now := metav1.Now()
	p := PodOf(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-0", Labels: map[string]string{"app": "web"}, DeletionTimestamp: &now,
			Annotations:     map[string]string{corev1.MirrorPodAnnotationKey: "x"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Node"}, {APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", Controller: new(true)}},
		},
		Spec: corev1.PodSpec{
			NodeName: "node-1", ServiceAccountName: "web", SchedulerName: "own", HostNetwork: true,
			Volumes: []corev1.Volume{
				{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-web-0"}}},
				{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
				{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{}, {ServiceAccountToken: &corev1.ServiceAccountTokenProjection{}}}}}},
			},
		},
		Status: corev1.PodStatus{Phase: "Running", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	})
	if p.GetNamespace() != "shop" || p.GetName() != "web-0" || p.Node() != "node-1" || p.ServiceAccount() != "web" ||
		p.Owner() != (Owner{"apps/v1", "StatefulSet", "web"}) || p.Labels.Get("app") != "web" || p.Phase != corev1.PodRunning ||
		p.SchedulerName() != "own" || !slices.Equal(p.Claims(), []string{"data-web-0", "web-0-scratch"}) ||
		!p.Ready || !p.HostNetwork || !p.MountsToken || !p.Terminating || !p.Static {
		t.Errorf("got %+v", p)
	}
	if p.DeepCopyObject() != p || p.GetObjectMeta().GetName() != "web-0" {
		t.Error("it is no object for client-go's stores")
	}
	bare := PodOf(&corev1.Pod{
		Spec:   corev1.PodSpec{Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: make([]corev1.VolumeProjection, 1)}}}}},
		Status: corev1.PodStatus{Phase: "Invented"},
	})
	if bare.Ready || bare.Static || bare.MountsToken || bare.Claims() != nil || bare.SchedulerName() != "default-scheduler" || bare.Owner() != (Owner{}) || bare.Phase != corev1.PodUnknown {
		t.Errorf("got %+v", bare)
	}
}
