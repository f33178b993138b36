package standalone

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
)

// program is the built server.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "extant-standalone-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "extant-apiserver")
	build := exec.Command("go", "build", "-o", program, "../../cmd/apiserver")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "could not build Extant: %v\n%s", err, output)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience is how long anything may take on a busy machine.
const patience = 2 * time.Minute

// server is a standalone server on a directory.
type server struct {
	*exec.Cmd
	kubeconfig string
	// sockets is where its etcd listens.
	sockets string
	client  versioned.Interface
	output  *strings.Builder
	ended   chan error
}

// command returns a command line of the server for a user who has no cluster.
func command(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(program, arguments...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "HOME="+c.Dir, "KUBECONFIG="+filepath.Join(c.Dir, "none"))
	return c
}

// start starts a server on the data in dir and waits until it says that it is
// ready.
func start(t *testing.T, dir string, arguments ...string) *server {
	t.Helper()
	// The path of a socket must be short.
	sockets, err := os.MkdirTemp("", "extant-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	arguments = append([]string{"--standalone", "--secure-port=0", "--data-dir=" + dir, "--kubeconfig-out=" + kubeconfig}, arguments...)
	s := &server{Cmd: command(t, arguments...), kubeconfig: kubeconfig, sockets: sockets, output: &strings.Builder{}, ended: make(chan error, 1)}
	s.Env = append(s.Env, "TMPDIR="+sockets)
	s.Stdout, s.Stderr = s.output, s.output
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.Wait() }()
	t.Cleanup(func() { _ = s.Process.Kill() })
	for deadline := time.After(patience); ; {
		if _, err := os.Stat(kubeconfig); err == nil {
			break
		}
		select {
		case err := <-s.ended:
			t.Fatalf("the server ended: %v\n%s", err, s.output)
		case <-deadline:
			t.Fatal("the server is not ready")
		case <-time.After(10 * time.Millisecond):
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	s.client = versioned.NewForConfigOrDie(config)
	return s
}

// stop ends the server as Ctrl-C does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Fatalf("the server ended badly: %v\n%s", err, s.output)
		}
	case <-time.After(patience):
		t.Fatal("the server does not stop")
	}
}

// run runs a command line to its end.
func run(t *testing.T, arguments ...string) (output string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := command(t, arguments...)
	limited := exec.CommandContext(ctx, c.Path, arguments...)
	limited.Dir, limited.Env = c.Dir, c.Env
	combined, err := limited.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("it does not end:\n%s", combined)
	}
	return string(combined), err == nil
}
