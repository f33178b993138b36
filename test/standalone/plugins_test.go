package standalone

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// twoNodes is a cluster of two nodes with a CSI driver each.
const twoNodes = `
{apiVersion: v1, kind: Node, metadata: {name: node-1}, status: {nodeInfo: {kubeletVersion: v1.37.2}, capacity: {example.com/fuse: 2}, allocatable: {example.com/fuse: 2}}}
---
{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: node-1}, spec: {drivers: [{name: csi.example.com, nodeID: a}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: node-2}, status: {nodeInfo: {kubeletVersion: v1.36.0}}}
---
{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: node-2}, spec: {drivers: [{name: csi.example.com, nodeID: b}]}}
`

// reported waits until the reports are these, one line each.
func reported(t *testing.T, s *server, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		list, err := s.client.ExtantV1alpha1().NodePluginReports().List(t.Context(), metav1.ListOptions{})
		var got []string
		if err == nil {
			for _, report := range list.Items {
				line := report.Name + " " + report.Spec.KubeletVersion
				for _, plugin := range report.Spec.Plugins {
					line += fmt.Sprintf(" %s/%s/%s%s", plugin.Type, plugin.Name, plugin.State, plugin.Path)
				}
				got = append(got, line)
			}
			if strings.Join(got, "\n") == strings.Join(want, "\n") {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the reports are\n%s\n(%v), and should be\n%s", strings.Join(got, "\n"), err, strings.Join(want, "\n"))
		}
	}
}

// TestReportsOfNodesAreFilledFromTheAPIAroundWhatAnAgentReports plays the agent
// of one of two nodes: its entry for a plugin wins, whether it comes before or
// after the API's, and what it does not report stays the API's. When the nodes
// are gone, so is the report that nobody else wrote into, and of the other what
// the API knew.
func TestReportsOfNodesAreFilledFromTheAPIAroundWhatAnAgentReports(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cluster.yaml"), twoNodes)
	s := start(t, t.TempDir(), "--observe-from="+dir)
	node2 := "node-2 v1.36.0 CSI/csi.example.com/Registered"
	reported(t, s, "node-1 v1.37.2 CSI/csi.example.com/Registered Device/example.com/fuse/Registered", node2)

	agent := func(version string, plugins ...map[string]string) {
		t.Helper()
		applied, err := json.Marshal(map[string]any{"apiVersion": "extant.dev/v1alpha1", "kind": "NodePluginReport",
			"metadata": map[string]string{"name": "node-1"}, "spec": map[string]any{"nodeName": "node-1", "kubeletVersion": version, "plugins": plugins}})
		if err != nil {
			t.Fatal(err)
		}
		force := true
		if _, err := s.client.ExtantV1alpha1().NodePluginReports().Patch(t.Context(), "node-1", types.ApplyPatchType, applied, metav1.PatchOptions{FieldManager: "agent", Force: &force}); err != nil {
			t.Fatal(err)
		}
	}
	cni := map[string]string{"type": "CNI", "name": "bridge", "path": "/opt/cni/bin/bridge", "state": "Present"}
	agent("v1.37.3", cni, map[string]string{"type": "CSI", "name": "csi.example.com", "path": "/csi.sock", "state": "Failed"},
		map[string]string{"type": "Device", "name": "example.com/fuse", "state": "Present"})
	reported(t, s, "node-1 v1.37.3 CNI/bridge/Present/opt/cni/bin/bridge CSI/csi.example.com/Failed/csi.sock Device/example.com/fuse/Present", node2)

	agent("v1.37.3", cni)
	reported(t, s, "node-1 v1.37.3 CNI/bridge/Present/opt/cni/bin/bridge CSI/csi.example.com/Registered Device/example.com/fuse/Registered", node2)

	write(t, filepath.Join(dir, "cluster.yaml"), `{apiVersion: v1, kind: Namespace, metadata: {name: shop}}`)
	reported(t, s, "node-1 v1.37.3 CNI/bridge/Present/opt/cni/bin/bridge")
}
