package standalone

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wantRefusal runs a command line that is wrong, and wants one sentence about
// it that contains a text.
func wantRefusal(t *testing.T, want string, arguments ...string) {
	t.Helper()
	output, ok := run(t, arguments...)
	output = strings.TrimSpace(output)
	if ok || !strings.Contains(output, want) || strings.Count(output, "\n") > 0 || !strings.HasPrefix(output, "extant-apiserver: ") {
		t.Errorf("%v: got\n%s\nwant one line with %q", arguments, output, want)
	}
}

func TestWhatIsWrongIsSaidInOneLine(t *testing.T) {
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: List\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return "--data-dir=" + t.TempDir() }
	for _, test := range []struct {
		name, want string
		arguments  []string
	}{
		{"a port in use", "port " + port + " is in use: choose another with --secure-port", []string{"--standalone", fresh(), "--secure-port=" + port}},
		{"a port that cannot be", "--secure-port 99999: must be between 1 and 65535, or 0 for a free port", []string{"--standalone", fresh(), "--secure-port=99999"}},
		{"a data directory that is a file", "could not make the data directory", []string{"--standalone", "--data-dir=" + file}},
		{"a dump that is not there", "no such file or directory", []string{"--standalone", fresh(), "--secure-port=0", "--observe-from=" + filepath.Join(dir, "none")}},
		{"a kubeconfig that is not there", "no such file or directory", []string{"--standalone", fresh(), "--secure-port=0", "--observe-kubeconfig=" + filepath.Join(dir, "none")}},
		{"two clusters to observe", "exclude each other", []string{"--standalone", fresh(), "--observe-from=" + file, "--observe-kubeconfig=" + file}},
		{"an export to a cluster that is only looked at", "a standalone server acts in no other cluster", []string{"--standalone", fresh(), "--export-openreports"}},
		{"an address for everybody", "listens on loopback only", []string{"--standalone", fresh(), "--bind-address=0.0.0.0"}},
		{"no etcd", "--etcd-servers is needed", nil},
		{"no cluster to run in", "--kubeconfig is needed outside of a cluster", []string{"--etcd-servers=http://127.0.0.1:1"}},
		{"an unknown flag", "unknown flag: --standalon", []string{"--standalon"}},
		{"an upkeep that cannot be", "--etcd-defragment-free-percent 100: must be between 1 and 99", []string{"--standalone", fresh(), "--etcd-defragment-free-percent=100"}},
		{"a snapshot to nowhere", "one FILE is needed: extant-apiserver etcd snapshot FILE", []string{"etcd", "snapshot"}},
		{"a snapshot of no etcd", "--etcd-servers is needed: it says which etcd to back up", []string{"etcd", "snapshot", "x"}},
		{"a snapshot of an etcd that is away", "etcd does not answer at http://127.0.0.1:1", []string{"etcd", "snapshot", "x", "--etcd-servers=http://127.0.0.1:1"}},
		{"a restore of nothing", "could not read the snapshot", []string{"etcd", "restore", filepath.Join(dir, "none"), fresh()}},
		{"a restore of what is no snapshot", file + " is no snapshot of etcd, or a part of one", []string{"etcd", "restore", file, fresh()}},
	} {
		t.Run(test.name, func(t *testing.T) { wantRefusal(t, test.want, test.arguments...) })
	}
}

// TestAnEtcdThatIsAwayIsSaidInTheLastLine is about a server in a cluster, which
// logs what it does before it gives up.
func TestAnEtcdThatIsAwayIsSaidInTheLastLine(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, kubeconfig, unreachable)
	output, ok := run(t, "--etcd-servers=http://127.0.0.1:1", "--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig,
		"--authorization-kubeconfig="+kubeconfig, "--authentication-skip-lookup", "--secure-port=0", "--cert-dir="+t.TempDir())
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := lines[len(lines)-1]; ok || !strings.HasPrefix(last, "extant-apiserver: etcd at http://127.0.0.1:1 cannot be used: ") || !strings.Contains(last, "check --etcd-servers") {
		t.Errorf("the last line is %q", last)
	}
}

func TestADataDirectoryIsOneServersAlone(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	wantRefusal(t, "is in use by another process", "--standalone", "--secure-port=0", "--data-dir="+dir)
	wantRefusal(t, "is in use by another process", "etcd", "restore", dir, "--data-dir="+dir)
	first.stop(t)
}

// TestSubcommandsHaveHelpOfTheirOwn keeps them from inheriting the server's,
// which has a hundred flags that mean nothing to them.
func TestSubcommandsHaveHelpOfTheirOwn(t *testing.T) {
	for subcommand, want := range map[string]string{"pki": "--members", "etcd": "snapshot", "etcd snapshot": "--etcd-cafile", "etcd restore": "--data-dir"} {
		output, ok := run(t, append(strings.Fields(subcommand), "--help")...)
		if !ok || !strings.Contains(output, want) || strings.Contains(output, "--secure-port") {
			t.Errorf("%s --help:\n%s", subcommand, output)
		}
	}
}
