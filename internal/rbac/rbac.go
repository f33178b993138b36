// Package rbac says who may do what in the observed cluster, as a
// kube-apiserver with --authorization-mode=Node,RBAC would: by the RBAC objects
// of a snapshot, the group system:masters, and the Node authorizer's rules for
// kubelets. Where the snapshot does not show what decides, it says that it
// cannot tell, and never guesses. It asks no cluster: where one can be asked,
// a SubjectAccessReview knows better.
package rbac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/cluster"
)

var (
	roles               = rbacv1.Resource("roles")
	roleBindings        = rbacv1.Resource("rolebindings")
	clusterRoles        = rbacv1.Resource("clusterroles")
	clusterRoleBindings = rbacv1.Resource("clusterrolebindings")
	pods                = corev1.Resource("pods")
)

// clusterAdmin is the ClusterRole that every API server with RBAC makes.
const clusterAdmin = "cluster-admin"

// Options say what of a cluster's authorization no object shows.
type Options struct {
	// Webhook is the name of an authorization webhook that is known to be
	// configured: what nothing else allows, it may.
	Webhook string
}

// Authorizers hands out the Authorizer of each snapshot of one source. It keeps
// its index until an RBAC object changes. It is safe for concurrent use.
type Authorizers struct {
	options Options

	mu       sync.Mutex
	revision uint64
	grants   *grants
}

// NewAuthorizers returns the Authorizers of a cluster.
func NewAuthorizers(options Options) *Authorizers {
	return &Authorizers{options: options}
}

// Of returns the Authorizer of a snapshot.
func (k *Authorizers) Of(snapshot *cluster.Snapshot) *Authorizer {
	k.mu.Lock()
	defer k.mu.Unlock()
	revision := snapshot.Revision(roles, roleBindings, clusterRoles, clusterRoleBindings)
	if k.grants == nil || k.revision != revision {
		k.grants, k.revision = grantsOf(snapshot), revision
	}
	return newAuthorizer(snapshot, k.grants, k.options)
}

var _ authorizer.UnconditionalAuthorizer = (*Authorizer)(nil)

// Authorizer says who may do what in the cluster of one snapshot. It is
// immutable.
type Authorizer struct {
	snapshot *cluster.Snapshot
	grants   *grants
	version  *version.Version
	webhook  string
	// bootstrapped tells whether the cluster has the roles that an API server
	// with RBAC makes for itself.
	bootstrapped bool
}

// New returns the Authorizer of a snapshot. Authorizers does the same for one
// snapshot after another, and cheaper.
func New(snapshot *cluster.Snapshot, options Options) *Authorizer {
	return newAuthorizer(snapshot, grantsOf(snapshot), options)
}

func newAuthorizer(snapshot *cluster.Snapshot, grants *grants, options Options) *Authorizer {
	_, bootstrapped := snapshot.ClusterRoles().Get("", clusterAdmin)
	return &Authorizer{
		snapshot: snapshot, grants: grants, version: snapshot.Version(), webhook: options.Webhook,
		// A live cluster is what it is; a dump may be less than its cluster.
		bootstrapped: bootstrapped || snapshot.Origin != "dump",
	}
}

// Assumed is the gap that travels with every answer that was given by taking
// authorization as open, and whether it is.
func (a *Authorizer) Assumed() (cluster.Gap, bool) {
	if a.bootstrapped {
		return cluster.Gap{}, false
	}
	if _, hidden := a.snapshot.DecidingGap(clusterRoles); hidden {
		return cluster.Gap{}, false
	}
	return cluster.Gap{
		Resource: clusterRoles.String(), Reason: cluster.GapAssumed,
		Message: "the dump has no ClusterRole cluster-admin, and so none of the roles that an API server makes: authorization is taken as open",
	}, true
}

// Authorize decides like kube-apiserver's chain of authorizers, of which none
// ever denies: a request that nothing allows is one that all are silent on. An
// error means that the snapshot does not show what decides. The reason for
// allowing names one binding; of several it is chance in the cluster, too.
func (a *Authorizer) Authorize(_ context.Context, attributes authorizer.Attributes) (authorizer.Decision, string, error) {
	who := attributes.GetUser()
	if who == nil {
		return authorizer.DecisionNoOpinion, "", errors.New("it is not known whose request it is")
	}
	if slices.Contains(who.GetGroups(), user.SystemPrivilegedGroup) {
		return authorizer.DecisionAllow, "", nil
	}
	if gap, open := a.Assumed(); open {
		return authorizer.DecisionAllow, gap.Message, nil
	}
	var reasons []string
	var unknown error
	for _, of := range []struct {
		name      string
		authorize func(authorizer.Attributes) answer
	}{{"node", a.authorizeNode}, {"rbac", a.authorizeRBAC}} {
		answer := of.authorize(attributes)
		if answer.allowed {
			return authorizer.DecisionAllow, answer.reason, nil
		}
		if answer.reason != "" {
			reasons = append(reasons, a.attributed(of.name, answer.reason))
		}
		if unknown == nil {
			unknown = answer.unknown
		}
	}
	if unknown == nil && a.webhook != "" {
		unknown = fmt.Errorf("the authorization webhook %q decides", a.webhook)
	}
	if unknown != nil {
		return authorizer.DecisionNoOpinion, "", unknown
	}
	return authorizer.DecisionNoOpinion, strings.Join(reasons, "\n"), nil
}

// attributed is a reason for silence as the observed API server words it: since
// 1.37 with the name of the authorizer.
func (a *Authorizer) attributed(name, reason string) string {
	if a.version.AtLeast(version.MustParseGeneric("1.37")) {
		return name + ": " + reason
	}
	return reason
}

// answer is what one authorizer says. The zero answer is silence.
type answer struct {
	allowed bool
	reason  string
	// unknown is why it cannot be told what the authorizer would say.
	unknown error
}

func allowed(reason string) answer { return answer{allowed: true, reason: reason} }

func silent(format string, args ...any) answer { return answer{reason: fmt.Sprintf(format, args...)} }

func unknown(format string, args ...any) answer {
	return answer{unknown: fmt.Errorf(format, args...)}
}
