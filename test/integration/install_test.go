package integration

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	apiServiceName = "v1alpha1.extant.dev"
	observerRole   = "extant-observer"
)

// register makes Extant known to the cluster: its APIService and Service, and
// the rights of its user.
func (e *environment) register(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := grantExtant(ctx, client); err != nil {
		return err
	}
	// There is no network of Services here: the name leads to loopback.
	if _, err := client.CoreV1().Services(namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: serviceName},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeExternalName, ExternalName: "localhost",
			Ports: []corev1.ServicePort{{Port: e.extant.port, TargetPort: intstr.FromInt32(e.extant.port)}},
		},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	services, err := aggregator.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	_, err = services.ApiregistrationV1().APIServices().Create(ctx, &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: apiServiceName},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: "extant.dev", Version: "v1alpha1", GroupPriorityMinimum: 1000, VersionPriority: 10,
			CABundle: e.extant.ca.CertificatePEM(),
			Service:  &apiregistrationv1.ServiceReference{Namespace: namespace, Name: serviceName, Port: ptr.To(e.extant.port)},
		},
	}, metav1.CreateOptions{})
	return err
}

// grantExtant gives Extant's user what a real installation gives it.
func grantExtant(ctx context.Context, client kubernetes.Interface) error {
	read := []string{"get", "list", "watch"}
	observe := []rbacv1.PolicyRule{
		{APIGroups: []string{"flowcontrol.apiserver.k8s.io"}, Resources: []string{"prioritylevelconfigurations"}, Verbs: read},
	}
	for _, resource := range cluster.Resources {
		observe = append(observe, rbacv1.PolicyRule{APIGroups: []string{resource.Group}, Resources: []string{resource.Resource}, Verbs: read})
	}
	own := []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update"}},
		{APIGroups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}
	_, err := client.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: serviceName}, Rules: own}, metav1.CreateOptions{})
	return errors.Join(err,
		grant(ctx, client, observerRole, identity, observe...),
		bind(ctx, client, "system:auth-delegator", identity),
		bindRole(ctx, client, namespace, serviceName, identity),
		bindRole(ctx, client, metav1.NamespaceSystem, "extension-apiserver-authentication-reader", identity),
	)
}

// grant makes a ClusterRole and binds a user to it.
func grant(ctx context.Context, client kubernetes.Interface, name, user string, rules ...rbacv1.PolicyRule) error {
	_, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return bind(ctx, client, name, user)
}

func bind(ctx context.Context, client kubernetes.Interface, clusterRole, user string) error {
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	return err
}

func bindRole(ctx context.Context, client kubernetes.Interface, namespace, role, user string) error {
	_, err := client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role},
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
