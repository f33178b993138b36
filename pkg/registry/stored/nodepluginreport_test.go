package stored

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// TestOnlyTheAgentOfANodeWritesItsReport is about the claim in the agent's
// bound token, which kube-aggregator forwards as an extra.
func TestOnlyTheAgentOfANodeWritesItsReport(t *testing.T) {
	agent := func(nodes ...string) user.Info {
		return &user.DefaultInfo{Name: "system:serviceaccount:extant-system:extant-node-agent", Extra: map[string][]string{serviceaccount.NodeNameKey: nodes}}
	}
	report := &extant.NodePluginReport{}
	report.Name = "node-1"
	for name, test := range map[string]struct {
		caller user.Info
		want   string
	}{
		"the node's own":       {agent("node-1"), ""},
		"Extant itself":        {&user.DefaultInfo{Name: user.APIServerUser}, ""},
		"another node's":       {agent("node-2"), `nodepluginreports.extant.dev "node-1" is forbidden: user "system:serviceaccount:extant-system:extant-node-agent" runs on node "node-2", and may write the report of that node only`},
		"one of two nodes":     {agent("node-1", "node-2"), `nodepluginreports.extant.dev "node-1" is forbidden: user "system:serviceaccount:extant-system:extant-node-agent" runs on node "node-1", and may write the report of that node only`},
		"a token of no node":   {agent(), `nodepluginreports.extant.dev "node-1" is forbidden: user "system:serviceaccount:extant-system:extant-node-agent" has no claim authentication.kubernetes.io/node-name: only the agent that runs on a node may write the node's report`},
		"an administrator":     {&user.DefaultInfo{Name: "admin", Groups: []string{user.SystemPrivilegedGroup}}, `nodepluginreports.extant.dev "node-1" is forbidden: user "admin" has no claim authentication.kubernetes.io/node-name: only the agent that runs on a node may write the node's report`},
		"an empty claim of it": {agent(""), `nodepluginreports.extant.dev "node-1" is forbidden: user "system:serviceaccount:extant-system:extant-node-agent" runs on node "", and may write the report of that node only`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := nodePluginReports(true).admit(request.WithUser(t.Context(), test.caller), nil, report, nil); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestPluginsAreStoredInOrderOfTypeNameAndPath(t *testing.T) {
	plugin := func(kind extant.NodePluginType, name, path string) extant.NodePlugin {
		return extant.NodePlugin{Type: kind, Name: name, Path: path, State: extant.NodePluginPresent}
	}
	want := []extant.NodePlugin{
		plugin(extant.NodePluginCNI, "bridge", ""), plugin(extant.NodePluginCNI, "bridge", "/opt/cni/bin/bridge"),
		plugin(extant.NodePluginCNI, "cilium", ""), plugin(extant.NodePluginCSI, "a.example.org", "/csi.sock"),
	}
	for _, write := range []func(*extant.NodePluginReport){
		func(r *extant.NodePluginReport) {
			specStrategy[*extant.NodePluginReport]{nodePluginReports(false)}.PrepareForCreate(t.Context(), r)
		},
		func(r *extant.NodePluginReport) {
			specStrategy[*extant.NodePluginReport]{nodePluginReports(false)}.PrepareForUpdate(t.Context(), r, &extant.NodePluginReport{})
		},
	} {
		report := &extant.NodePluginReport{Spec: extant.NodePluginReportSpec{Plugins: []extant.NodePlugin{want[3], want[2], want[1], want[0]}}}
		write(report)
		if diff := cmp.Diff(want, report.Spec.Plugins); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhereNobodyAuthenticatesCallersReportsAreDeclared(t *testing.T) {
	if nodePluginReports(false).admit != nil {
		t.Error("a standalone server has no agents, and its one user could declare no report")
	}
}
