package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	"github.com/extant-project/extant/test/controlplane"
)

const (
	pollInterval = 50 * time.Millisecond
	// soon is how long a test waits for what ought to take a second or two.
	soon = 20 * time.Second
)

// eventually waits until the check returns nothing. What it returns last is why
// the test fails.
func eventually(t *testing.T, within time.Duration, check func(ctx context.Context) (why string)) {
	t.Helper()
	var why string
	err := wait.PollUntilContextTimeout(t.Context(), pollInterval, within, true, func(ctx context.Context) (bool, error) {
		why = check(ctx)
		return why == "", nil
	})
	if err != nil {
		t.Fatalf("not within %s: %s", within, why)
	}
}

// extantClient is the generated client of the administrator, through the
// aggregator.
func extantClient(t *testing.T) client.ExtantV1alpha1Interface {
	t.Helper()
	clientset, err := versioned.NewForConfig(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	return clientset.ExtantV1alpha1()
}

func kubeClient(t *testing.T) kubernetes.Interface {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	return clientset
}

func newUser(t *testing.T, name string, groups ...string) *controlplane.User {
	t.Helper()
	user, err := env.plane.NewUser(name, groups...)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// kubectl runs kubectl as the administrator and returns what it printed.
func kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	output, complaint, err := runKubectl(t, env.plane.Admin, stdin, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, output, complaint)
	}
	return output
}

// kubectlFails runs kubectl as somebody and returns its complaint. Success
// fails the test.
func kubectlFails(t *testing.T, user *controlplane.User, stdin string, args ...string) string {
	t.Helper()
	output, complaint, err := runKubectl(t, user, stdin, args...)
	if err == nil {
		t.Fatalf("kubectl %s succeeded:\n%s", strings.Join(args, " "), output)
	}
	return complaint
}

func runKubectl(t *testing.T, user *controlplane.User, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return env.runKubectl(t.Context(), user, stdin, args...)
}

func (e *environment) runKubectl(ctx context.Context, user *controlplane.User, stdin string, args ...string) (stdout, stderr string, err error) {
	command := exec.CommandContext(ctx, e.plane.Program("kubectl"), append([]string{"--kubeconfig=" + user.Kubeconfig}, args...)...)
	command.Env = append(os.Environ(), "KUBECACHEDIR="+filepath.Join(e.dir, "kubectl-cache"))
	command.Stdin = strings.NewReader(stdin)
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaint
	err = command.Run()
	return output.String(), complaint.String(), err
}

// wantIn fails the test for each text that is missing.
func wantIn(t *testing.T, got string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

// deleteAfterwards deletes an Extension at the end of the test.
func deleteAfterwards(t *testing.T, name string) {
	t.Helper()
	extensions := extantClient(t).Extensions()
	t.Cleanup(func() { _ = extensions.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// asStatus finds the API's own answer in an error.
func asStatus(err error, status *apierrors.APIStatus) bool {
	return errors.As(err, status)
}
