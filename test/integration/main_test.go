package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/extant-project/extant/test/controlplane"
)

// env is what all tests share. They run one after the other, and each leaves
// Extant running.
var env *environment

func TestMain(m *testing.M) {
	os.Exit(run(context.Background(), m))
}

func run(ctx context.Context, m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "extant-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	env, err = start(ctx, dir)
	if err != nil {
		fmt.Fprintf(os.Stderr, "could not start the environment: %v\n", err)
		return errorAfter(env.stop())
	}
	defer func() {
		if err := env.stop(); err != nil {
			code = errorAfter(err)
		}
		if code != 0 {
			fmt.Fprintf(os.Stderr, "logs are in %s\n", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			code = errorAfter(err)
		}
	}()
	return m.Run()
}

func errorAfter(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

// environment is a control plane with Extant behind its aggregator.
type environment struct {
	dir   string
	plane *controlplane.ControlPlane
	// etcd and extant are what the manifests describe.
	etcd   *etcdCluster
	extant *extantServer
	// program is the path of extant-apiserver.
	program string
	// warnings is what kubectl said on the side when it applied the manifests.
	warnings string
	// lead makes the aggregator find Extant, which listens on a port of loopback.
	lead func(ctx context.Context, port int32) error
	// installed is when all was well.
	installed time.Time
}

func start(ctx context.Context, dir string) (e *environment, err error) {
	e = &environment{dir: dir}
	e.lead = e.leadToLoopback
	root, err := filepath.Abs("../..")
	if err != nil {
		return e, err
	}
	assets, err := controlplane.Assets(ctx, root)
	if err != nil {
		return e, err
	}
	e.program = filepath.Join(dir, "extant-apiserver")
	build := exec.CommandContext(ctx, "go", "build", "-o", e.program, "./cmd/apiserver")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return e, fmt.Errorf("could not build Extant: %w\n%s", err, output)
	}
	audit, err := auditArgs(dir)
	if err != nil {
		return e, err
	}
	if e.plane, err = controlplane.Start(ctx, controlplane.Options{
		Assets: assets, Dir: dir, ControllerManager: true, APIServerArgs: audit,
	}); err != nil {
		return e, err
	}
	if err := e.install(ctx); err != nil {
		return e, err
	}
	e.installed = time.Now()
	return e, nil
}

func (e *environment) stop() error {
	var errs []error
	if e.extant != nil {
		errs = append(errs, e.extant.Stop())
	}
	if e.etcd != nil {
		errs = append(errs, e.etcd.Stop())
	}
	if e.plane != nil {
		errs = append(errs, e.plane.Stop())
	}
	return errors.Join(errs...)
}
