package integration

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/test/controlplane"
)

const (
	apiServiceName = "v1alpha1.extant.dev"
	observerRole   = "extant-observer"
)

// artifacts are the manifests, from here.
const artifacts = "../../artifacts"

// install installs Extant as docs/install.md says, and runs as processes what
// nodes would run as pods: with the command lines, the files and the identities
// of the manifests.
func (e *environment) install(ctx context.Context) (err error) {
	var output string
	if output, e.warnings, err = e.runKubectl(ctx, e.plane.Admin, "", "apply", "-k", artifacts); err != nil {
		return fmt.Errorf("could not apply the manifests: %w\n%s%s", err, output, e.warnings)
	}
	if output, err = e.runPKI(ctx); err != nil {
		return fmt.Errorf("could not make etcd's certificates: %w\n%s", err, output)
	}
	if e.etcd, err = e.startEtcd(ctx); err != nil {
		return err
	}
	if e.extant, err = e.newExtant(ctx); err != nil {
		return err
	}
	if err := e.lead(ctx, e.extant.port); err != nil {
		return err
	}
	if err := e.extant.Start(); err != nil {
		return err
	}
	if err := e.extant.waitReady(ctx); err != nil {
		return err
	}
	return e.waitAvailable(ctx)
}

// leadToLoopback makes the aggregator find Extant here: there is no network of
// Services, and no pod behind this one. Applying the manifests again leaves it.
func (e *environment) leadToLoopback(ctx context.Context, port int32) error {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"spec":{"type":"ExternalName","externalName":"localhost","ports":[{"name":"loopback","port":%d}]}}`, port)
	if _, err := client.CoreV1().Services(namespace).Patch(ctx, serviceName, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return err
	}
	services, err := aggregator.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	patch = fmt.Sprintf(`{"spec":{"service":{"port":%d}}}`, port)
	_, err = services.ApiregistrationV1().APIServices().Patch(ctx, apiServiceName, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// runPKI runs the bootstrap Job and returns what it prints.
func (e *environment) runPKI(ctx context.Context) (string, error) {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return "", err
	}
	job, err := client.BatchV1().Jobs(namespace).Get(ctx, "extant-pki", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	user, err := e.serviceAccount(ctx, job.Spec.Template.Spec.ServiceAccountName)
	if err != nil {
		return "", err
	}
	args, err := e.commandLine(ctx, job.Spec.Template.Spec, "extant-pki")
	if err != nil {
		return "", err
	}
	// What a pod is told by the files of its ServiceAccount.
	args = append(args, "--kubeconfig="+user.Kubeconfig, "--namespace="+namespace)
	output, err := exec.CommandContext(ctx, e.program, args...).CombinedOutput()
	return string(output), err
}

// serviceAccount is a ServiceAccount of the manifests, with a token as its pods
// get it.
func (e *environment) serviceAccount(ctx context.Context, name string) (*controlplane.User, error) {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return nil, err
	}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(6 * time.Hour / time.Second))},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return e.plane.WithToken(name, token.Status.Token)
}

// grant makes a ClusterRole and binds a user to it.
func grant(ctx context.Context, client kubernetes.Interface, name, user string, rules ...rbacv1.PolicyRule) error {
	_, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return bind(ctx, client, name, user)
}

// lend gives Extant rights for the time of a test. Others look at what it may
// do without them.
func lend(t *testing.T, name string, rule rbacv1.PolicyRule) {
	t.Helper()
	client := kubeClient(t)
	if err := grant(t.Context(), client, name, identity, rule); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if err := client.RbacV1().ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: identity,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: rule.Verbs[0], Resource: rule.Resources[0], Namespace: "default", Name: append(rule.ResourceNames, "anything")[0],
			},
		}}
		if err := wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
			answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			return err == nil && !answer.Status.Allowed, nil
		}); err != nil {
			t.Errorf("what was lent by %s is not given back: %v", name, err)
		}
	})
}

func bind(ctx context.Context, client kubernetes.Interface, clusterRole, user string) error {
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	return err
}

// waitAvailable waits until kube-aggregator believes in Extant, and serves its
// kinds.
func (e *environment) waitAvailable(ctx context.Context) error {
	services, err := aggregator.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	var last string
	err = wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
		service, err := services.ApiregistrationV1().APIServices().Get(ctx, apiServiceName, metav1.GetOptions{})
		if err != nil {
			last = err.Error()
			return false, nil
		}
		for _, condition := range service.Status.Conditions {
			if condition.Type == apiregistrationv1.Available {
				last = fmt.Sprintf("%s: %s", condition.Reason, condition.Message)
				return condition.Status == apiregistrationv1.ConditionTrue, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("APIService %s did not become available: %w (%s)\n%s", apiServiceName, err, last, e.extant.Tail(20))
	}
	return nil
}
