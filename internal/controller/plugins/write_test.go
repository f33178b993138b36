package plugins

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/extant-project/extant/internal/plugins"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// The entries of these reports, as an API server records who wrote them.
const (
	ebs       = `"k:{\"name\":\"ebs\",\"type\":\"CSI\"}":{".":{},"f:name":{},"f:state":{},"f:type":{}}`
	ebsState  = `"k:{\"name\":\"ebs\",\"type\":\"CSI\"}":{"f:state":{}}`
	efs       = `"k:{\"name\":\"efs\",\"type\":\"CSI\"}":{".":{},"f:name":{},"f:state":{},"f:type":{}}`
	ebsOnDisk = `"k:{\"name\":\"ebs\",\"path\":\"/csi.sock\",\"type\":\"CSI\"}":{".":{},"f:name":{},"f:path":{},"f:state":{},"f:type":{}}`
	version   = `"f:kubeletVersion":{}`
)

func managed(manager, spec string) metav1.ManagedFieldsEntry {
	entry := metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: &metav1.FieldsV1{}}
	entry.FieldsV1.SetRawString(`{"f:spec":{"f:nodeName":{},` + spec + `}}`)
	return entry
}

func stored(version string, entries []v1alpha1.NodePlugin, managers ...metav1.ManagedFieldsEntry) *v1alpha1.NodePluginReport {
	return &v1alpha1.NodePluginReport{
		ObjectMeta: metav1.ObjectMeta{Name: "n", ManagedFields: managers},
		Spec:       v1alpha1.NodePluginReportSpec{NodeName: "n", KubeletVersion: version, Plugins: entries},
	}
}

func csi(name, path string, state v1alpha1.NodePluginState) v1alpha1.NodePlugin {
	return v1alpha1.NodePlugin{Type: v1alpha1.NodePluginCSI, Name: name, Path: path, State: state}
}

func TestWhatSomebodyElseReportsIsLeftToThem(t *testing.T) {
	registered := func(names ...string) (list []extant.NodePlugin) {
		for _, name := range names {
			list = append(list, extant.NodePlugin{Type: extant.NodePluginCSI, Name: name, State: extant.NodePluginRegistered})
		}
		return list
	}
	const applyEBS = `{"nodeName":"n","kubeletVersion":"v1.37.2","plugins":[{"type":"CSI","name":"ebs","state":"Registered"}]}`
	for name, test := range map[string]struct {
		stored  *v1alpha1.NodePluginReport
		known   []extant.NodePlugin
		hidden  []extant.NodePluginType
		differs bool
		want    string
	}{
		"a node without a report": {nil, registered("ebs"), nil, true, applyEBS},
		"nothing is new": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Registered")}, managed(FieldManager, version+`,"f:plugins":{`+ebs+`}`)),
			registered("ebs"), nil, false, applyEBS},
		"a driver is gone": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Registered"), csi("efs", "", "Registered")}, managed(FieldManager, version+`,"f:plugins":{`+ebs+`,`+efs+`}`)),
			registered("ebs"), nil, true, applyEBS},
		"a driver cannot be seen any more": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Registered")}, managed(FieldManager, version+`,"f:plugins":{`+ebs+`}`)),
			nil, []extant.NodePluginType{extant.NodePluginCSI}, false, applyEBS},
		"another type cannot be seen any more": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Registered")}, managed(FieldManager, version+`,"f:plugins":{`+ebs+`}`)),
			nil, []extant.NodePluginType{extant.NodePluginDynamicResource}, true, `{"nodeName":"n","kubeletVersion":"v1.37.2"}`},
		"an agent reports the driver with its socket": {stored("v1.37.1", []v1alpha1.NodePlugin{csi("ebs", "/csi.sock", "Present")}, managed(agentManager, version+`,"f:plugins":{`+ebsOnDisk+`}`)),
			registered("ebs", "efs"), nil, true, `{"nodeName":"n","plugins":[{"type":"CSI","name":"efs","state":"Registered"}]}`},
		"an agent came after us": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Registered"), csi("ebs", "/csi.sock", "Failed")},
			managed(FieldManager, version+`,"f:plugins":{`+ebs+`}`), managed(agentManager, version+`,"f:plugins":{`+ebsOnDisk+`}`)),
			registered("ebs"), nil, true, `{"nodeName":"n"}`},
		"an agent came, and we have gone": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "/csi.sock", "Failed")},
			managed(FieldManager, `"f:plugins":{}`), managed(agentManager, version+`,"f:plugins":{`+ebsOnDisk+`}`)),
			registered("ebs"), nil, false, `{"nodeName":"n"}`},
		"somebody changed our entry": {stored("v1.37.2", []v1alpha1.NodePlugin{csi("ebs", "", "Failed")},
			managed(FieldManager, version+`,"f:plugins":{`+ebs+`}`), managed("kubectl-edit", `"f:plugins":{`+ebsState+`}`)),
			registered("ebs"), nil, true, `{"nodeName":"n","kubeletVersion":"v1.37.2"}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Controller{known: &plugins.Reports{Hidden: test.hidden}}
			wanted, differs, err := c.wanted(&plugins.Report{Node: "n", KubeletVersion: "v1.37.2", Plugins: test.known}, test.stored)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(wanted.Spec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if differs != test.differs {
				t.Errorf("differs is %v", differs)
			}
		})
	}
}

func TestAReportIsNeverFilledBeyondItsBound(t *testing.T) {
	known := &plugins.Report{Node: "n"}
	for i := range extant.MaxNodePlugins + 10 {
		known.Plugins = append(known.Plugins, extant.NodePlugin{Type: extant.NodePluginCSI, Name: string(rune('a' + i)), State: extant.NodePluginRegistered})
	}
	full := stored("v1", []v1alpha1.NodePlugin{csi("ebs", "/csi.sock", "Present")}, managed(agentManager, version+`,"f:plugins":{`+ebsOnDisk+`}`))
	wanted, _, err := (&Controller{known: &plugins.Reports{}}).wanted(known, full)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(wanted.Spec.Plugins); got != extant.MaxNodePlugins-1 {
		t.Errorf("%d plugins besides one of the agent", got)
	}
}

func TestAReportThatSomebodyElseWroteIntoIsNotOursToDelete(t *testing.T) {
	for name, test := range map[string]struct {
		managers []metav1.ManagedFieldsEntry
		want     bool
	}{
		"ours":             {[]metav1.ManagedFieldsEntry{managed(FieldManager, version)}, true},
		"Extant's agent's": {[]metav1.ManagedFieldsEntry{managed(FieldManager, version), managed(agentManager, version)}, true},
		"an owner's":       {[]metav1.ManagedFieldsEntry{managed("kubectl", version)}, false},
		"both":             {[]metav1.ManagedFieldsEntry{managed(FieldManager, version), managed("kubectl", version)}, false},
		"nobody knows of":  {nil, false},
	} {
		if got := extants(stored("", nil, test.managers...)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAnAgentAheadOfWhatIsObservedKeepsItsReport plans over a cluster in which
// the node of a report cannot be seen.
func TestAnAgentAheadOfWhatIsObservedKeepsItsReport(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	report := stored("", []v1alpha1.NodePlugin{csi("ebs", "/csi.sock", "Present")}, managed(agentManager, `"f:plugins":{`+ebsOnDisk+`}`))
	for name, test := range map[string]struct {
		reported *metav1.Time
		writes   int
	}{
		"it reported just now":              {new(metav1.NewTime(now.Add(-time.Minute))), 0},
		"it has not reported for some time": {new(metav1.NewTime(now.Add(-newNode))), 1},
		"nobody knows when":                 {nil, 1},
	} {
		report.Spec.ReportTime = test.reported
		c := &Controller{known: &plugins.Reports{}, clock: clocktesting.NewFakeClock(now)}
		if got := len(c.plan([]*v1alpha1.NodePluginReport{report})); got != test.writes {
			t.Errorf("%s: %d writes", name, got)
		}
	}
}

func FuzzManagedFields(f *testing.F) {
	f.Add(`{"f:spec":{"f:plugins":{`+ebs+`}}}`, FieldManager)
	f.Add(`{"f:spec":{"f:plugins":{"k:{\"name\":1}":{}}}}`, agentManager)
	f.Add(`{"f:spec":{"f:plugins":{"v:1":{}, "i:0":{}}}}`, agentManager)
	f.Fuzz(func(t *testing.T, fields, manager string) {
		entry := metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: &metav1.FieldsV1{}}
		entry.FieldsV1.SetRawString(fields)
		owned, err := ownershipOf(stored("v1", []v1alpha1.NodePlugin{csi("ebs", "", "Present")}, entry))
		if err == nil && len(owned.ours.plugins)+owned.otherEntries != 1 {
			t.Error("an entry is nobody's")
		}
	})
}
