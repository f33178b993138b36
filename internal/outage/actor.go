package outage

import (
	"context"
	"errors"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/rbac"
)

// The components of a cluster, as the API server knows them. Controllers of
// the controller manager act by service accounts of their own.

const systemNamespace = "kube-system"

func controller(name string) *authenticationv1.UserInfo {
	return serviceAccount(systemNamespace, name)
}

func serviceAccount(namespace, name string) *authenticationv1.UserInfo {
	return &authenticationv1.UserInfo{
		Username: serviceaccount.MakeUsername(namespace, name),
		Groups:   append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated),
	}
}

func component(name string) *authenticationv1.UserInfo {
	return &authenticationv1.UserInfo{Username: name, Groups: []string{user.AllAuthenticated}}
}

func kubelet(node string) *authenticationv1.UserInfo {
	return &authenticationv1.UserInfo{Username: "system:node:" + node, Groups: []string{user.NodesGroup, user.AllAuthenticated}}
}

// administrator is a human with all rights.
func administrator() *authenticationv1.UserInfo {
	return &authenticationv1.UserInfo{Username: "kubernetes-admin", Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated}}
}

// rules authorizes the requests of components by the snapshot's RBAC and node
// rules. Where these do not allow what a component of Kubernetes always does,
// the snapshot lacks the roles that every API server makes for it; what lacks
// is not known then, rather than forbidden.
type rules struct {
	snapshot *rbac.Authorizer
	// own is the request that is traced. Others are checks of conditions, which
	// the rules answer as they are.
	own authorizer.AttributesRecord
	// granted: the request itself is authorized, as is known from elsewhere: what
	// somebody says that a workload needs succeeded before, and who asks for it,
	// nobody says.
	granted bool
}

var errBootstrapRoles = errors.New("the snapshot has no roles that allow what this component of Kubernetes always does")

// Authorize answers by the rules of the snapshot.
func (r *rules) Authorize(ctx context.Context, asked authorizer.Attributes) (authorizer.Decision, string, error) {
	own := asked.GetUser().GetName() == r.own.User.GetName() && asked.GetVerb() == r.own.Verb && asked.GetResource() == r.own.Resource &&
		asked.GetSubresource() == r.own.Subresource && asked.GetNamespace() == r.own.Namespace && asked.GetAPIGroup() == r.own.APIGroup
	if own && bound[[2]string{asked.GetResource(), asked.GetSubresource()}] && isKubelet(asked.GetUser()) {
		// The Node authorizer goes by the pods that are bound to a node. Those that
		// are to come back will be.
		return authorizer.DecisionAllow, "", nil
	}
	if own && r.granted {
		return authorizer.DecisionAllow, "", nil
	}
	decision, reason, err := r.snapshot.Authorize(ctx, asked)
	if own && err == nil && decision != authorizer.DecisionAllow {
		return decision, reason, errBootstrapRoles
	}
	return decision, reason, err
}

// bound are the requests that a kubelet may make for the pods of its node.
var bound = map[[2]string]bool{{"serviceaccounts", "token"}: true, {"pods", "status"}: true}

func isKubelet(u user.Info) bool {
	for _, group := range u.GetGroups() {
		if group == user.NodesGroup {
			return true
		}
	}
	return false
}
