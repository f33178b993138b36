package standalone

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	pluginregistration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/test/nodeplugins"
)

// TestTheNodeAgentReportsWhatTheNodeHas runs the program over the root
// directory of a node, and changes the node.
func TestTheNodeAgentReportsWhatTheNodeHas(t *testing.T) {
	dump, node := t.TempDir(), t.TempDir()
	place(t, dump, "node.yaml", "{apiVersion: v1, kind: Node, metadata: {name: node-1}}", 0o644)
	s := start(t, t.TempDir(), "--observe-from="+dump)
	place(t, node, "etc/cni/net.d/10-bridge.conf", `{"name": "pods", "type": "bridge"}`, 0o644)
	place(t, node, "opt/cni/bin/bridge", "a program", 0o755)
	const endpoint = "/var/lib/kubelet/plugins/disk.example.com/csi.sock"
	for _, socket := range []struct {
		path   string
		plugin *nodeplugins.Plugin
	}{
		{"var/lib/kubelet/plugins_registry/disk.example.com-reg.sock", &nodeplugins.Plugin{
			Registration: &pluginregistration.PluginInfo{Type: pluginregistration.CSIPlugin, Name: "disk.example.com", Endpoint: endpoint},
		}},
		{endpoint, &nodeplugins.Plugin{Driver: &csi.GetPluginInfoResponse{Name: "disk.example.com", VendorVersion: "2.1.0"}}},
	} {
		at := filepath.Join(node, socket.path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := socket.plugin.Start(at); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = socket.plugin.Stop() })
	}

	agent := startAgent(t, "--kubeconfig="+s.kubeconfig, "--node-name=node-1", "--host-root="+node)
	bridge := v1alpha1.NodePlugin{
		Type: v1alpha1.NodePluginCNI, Name: "bridge", Path: "/opt/cni/bin/bridge", State: v1alpha1.NodePluginConfigured,
		SHA256: "d69ea8cda2433733c1ce02de65da8f48e6a3dbba6bb18876a2062908e54ef7cb",
	}
	driver := v1alpha1.NodePlugin{
		Type: v1alpha1.NodePluginCSI, Name: "disk.example.com", Version: "2.1.0", Path: endpoint, State: v1alpha1.NodePluginRegistered,
	}
	s.waitReported(t, agent, []v1alpha1.NodePlugin{bridge, driver})
	t.Logf("the agent at rest: %s", memory(t, agent.Process.Pid))

	place(t, node, "etc/cni/net.d/05-macvlan.conf", `{"name": "pods", "type": "macvlan"}`, 0o644)
	bridge.State = v1alpha1.NodePluginPresent
	macvlan := v1alpha1.NodePlugin{Type: v1alpha1.NodePluginCNI, Name: "macvlan", Path: "/opt/cni/bin/macvlan", State: v1alpha1.NodePluginFailed}
	s.waitReported(t, agent, []v1alpha1.NodePlugin{bridge, macvlan, driver})
}

// agent is a node agent that runs.
type agent struct {
	*exec.Cmd
	output *strings.Builder
}

func startAgent(t *testing.T, arguments ...string) *agent {
	t.Helper()
	program := filepath.Join(t.TempDir(), "extant-node-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "../../cmd/node-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("could not build the agent: %v\n%s", err, output)
	}
	a := &agent{Cmd: exec.Command(program, arguments...), output: &strings.Builder{}}
	a.Stdout, a.Stderr = a.output, a.output
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Process.Signal(os.Interrupt)
		if err := a.Wait(); err != nil {
			t.Errorf("the agent ended badly: %v\n%s", err, a.output)
		}
	})
	return a
}

// waitReported waits until the report of node-1 has these plugins.
func (s *server) waitReported(t *testing.T, a *agent, want []v1alpha1.NodePlugin) {
	t.Helper()
	var why string
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		report, err := s.client.ExtantV1alpha1().NodePluginReports().Get(ctx, "node-1", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			why = err.Error()
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if report.Spec.NodeName != "node-1" || report.Spec.ReportTime == nil {
			why = fmt.Sprintf("the report says %+v", report.Spec) // what the API knows comes first
			return false, nil
		}
		why = cmp.Diff(want, report.Spec.Plugins)
		return why == "", nil
	})
	if err != nil {
		t.Fatalf("%v (-want +got):\n%s\nthe agent says:\n%s", err, why, a.output)
	}
}

func place(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// memory is what the kernel says of a process's memory.
func memory(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(regexp.MustCompile(`(?m)^(VmRSS|RssAnon):.*$`).FindAllString(string(status), -1), ", ")
}
