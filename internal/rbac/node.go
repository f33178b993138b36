package rbac

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// A kubelet is a user of the group system:nodes called system:node:<node>. It
// may read and write what concerns the pods on its node. The Node authorizer
// knows that from a graph of pods, volumes, claims and attachments, of which a
// snapshot shows the pods with their node and service account: what hangs on
// another edge cannot be told. Whether an object that a node creates is about
// that node is the business of the admission plugin NodeRestriction.

const nodeUserPrefix = "system:node:"

// kubelet is a request of a node.
type kubelet struct {
	*Authorizer
	node string
	authorizer.Attributes
}

// subdivided is what a kubelet may access only in part. Access to the rest is
// the same for every node.
var subdivided = map[schema.GroupResource]func(kubelet) answer{
	{Group: "", Resource: "secrets"}:                                   kubelet.readNamespaced,
	{Group: "", Resource: "configmaps"}:                                kubelet.readNamespaced,
	{Group: "", Resource: "persistentvolumeclaims"}:                    kubelet.claim,
	{Group: "", Resource: "persistentvolumes"}:                         kubelet.get,
	{Group: "resource.k8s.io", Resource: "resourceclaims"}:             kubelet.get,
	{Group: "storage.k8s.io", Resource: "volumeattachments"}:           kubelet.get,
	{Group: "", Resource: "serviceaccounts"}:                           kubelet.serviceAccount,
	{Group: "coordination.k8s.io", Resource: "leases"}:                 kubelet.lease,
	{Group: "storage.k8s.io", Resource: "csinodes"}:                    kubelet.csiNode,
	{Group: "resource.k8s.io", Resource: "resourceslices"}:             kubelet.resourceSlice,
	{Group: "", Resource: "nodes"}:                                     kubelet.ownNode,
	{Group: "", Resource: "pods"}:                                      kubelet.pod,
	{Group: "certificates.k8s.io", Resource: "podcertificaterequests"}: kubelet.certificateRequest,
}

func (a *Authorizer) authorizeNode(attributes authorizer.Attributes) answer {
	who := attributes.GetUser()
	node, ok := strings.CutPrefix(who.GetName(), nodeUserPrefix)
	if !ok || !slices.Contains(who.GetGroups(), user.NodesGroup) {
		return answer{}
	}
	if node == "" {
		return silent("unknown node for user %q", who.GetName())
	}
	k := kubelet{a, node, attributes}
	if attributes.IsResourceRequest() {
		if decide, ok := subdivided[k.resource()]; ok {
			return decide(k)
		}
	}
	return k.uniform()
}

func (k kubelet) resource() schema.GroupResource {
	return schema.GroupResource{Group: k.GetAPIGroup(), Resource: k.GetResource()}
}

func (k kubelet) verb(oneOf ...string) bool { return slices.Contains(oneOf, k.GetVerb()) }

// selects tells whether the request reads only what has the node's name in a
// field.
func (k kubelet) selects(field string) bool {
	requirements, _ := k.GetFieldSelector()
	for _, r := range requirements {
		if r.Field == field && r.Operator == selection.Equals && r.Value == k.node {
			return true
		}
	}
	return false
}

// since tells whether the observed cluster has at least a version.
func (k kubelet) since(oldest string) bool {
	return k.version.AtLeast(version.MustParseGeneric(oldest))
}

// serves tells whether the observed cluster serves the resource, for feature
// gates that guard an API as well as the access of nodes to it.
func (k kubelet) serves() bool { return k.snapshot.Discovery.Serves(k.resource()) }

func (k kubelet) readNamespaced() answer {
	switch {
	case !k.verb("get", "list", "watch"):
		return silent("can only read resources of this type")
	case k.GetSubresource() != "":
		return silent("cannot read subresource")
	case k.GetNamespace() == "":
		return silent("can only read namespaced object of this type")
	default:
		return k.related()
	}
}

func (k kubelet) get() answer {
	switch {
	case !k.verb("get"):
		return silent("can only get individual resources of this type")
	case k.GetSubresource() != "":
		return silent("cannot get subresource")
	default:
		return k.related()
	}
}

func (k kubelet) claim() answer {
	switch {
	case k.GetSubresource() != "status":
		return k.get()
	case !k.verb("update", "patch"):
		return silent("can only get/update/patch this type")
	default:
		return k.related()
	}
}

// serviceAccount lets a node make tokens for its pods' service accounts and,
// since 1.34, read those.
func (k kubelet) serviceAccount() answer {
	if k.verb("get") && k.GetSubresource() == "" {
		switch {
		case k.since("1.34"):
			return k.readNamespaced()
		case k.since("1.33"):
			return unknown("whether nodes may read service accounts depends on the feature gate KubeletServiceAccountTokenForCredentialProviders")
		}
	}
	switch {
	case !k.verb("create") || k.GetName() == "":
		return silent("can only create tokens for individual service accounts")
	case k.GetSubresource() != "token":
		return silent("can only create token subresource of serviceaccount")
	default:
		return k.related()
	}
}

func (k kubelet) lease() answer {
	switch {
	case !k.verb("get", "create", "update", "patch", "delete"):
		return silent("can only get, create, update, patch, or delete a node lease")
	case k.GetNamespace() != corev1.NamespaceNodeLease:
		return silent("can only access leases in the %q system namespace", corev1.NamespaceNodeLease)
	// Nobody knows the name of what is being created.
	case !k.verb("create") && k.GetName() != k.node:
		return silent("can only access node lease with the same name as the requesting node")
	default:
		return allowed("")
	}
}

func (k kubelet) csiNode() answer {
	own := k.verb("create") || k.GetName() == k.node
	switch sub := k.GetSubresource(); {
	case sub == "status" && k.since("1.37"):
		if own && k.verb("get", "update", "patch") {
			return unknown("whether nodes may access the status of their CSINode depends on the feature gate CSIVolumeHealth")
		}
		return silent("CSINode status access requires CSIVolumeHealth feature")
	case sub != "":
		return silent("cannot authorize CSINode subresources")
	case !k.verb("get", "create", "update", "patch", "delete"):
		return silent("can only get, create, update, patch, or delete a CSINode")
	case !own:
		return silent("can only access CSINode with the same name as the requesting node")
	default:
		return allowed("")
	}
}

func (k kubelet) resourceSlice() answer {
	switch {
	case k.GetSubresource() != "":
		return silent("cannot authorize ResourceSlice subresources")
	case k.verb("create"):
		return allowed("")
	case k.verb("get", "update", "patch", "delete"):
		return k.related()
	case k.verb("watch", "list", "deletecollection"):
		if k.selects("spec.nodeName") || !k.since("1.32") {
			return allowed("")
		}
		return silent("can only list/watch/deletecollection resourceslices with nodeName field selector")
	default:
		return silent("only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection")
	}
}

// ownNode lets a node write every Node and, since 1.32, read its own only.
func (k kubelet) ownNode() answer {
	switch {
	case !k.since("1.32"):
		return k.uniform()
	case k.GetSubresource() == "status" && k.verb("update", "patch"):
		return allowed("")
	case k.GetSubresource() != "":
		return answer{}
	case k.verb("create", "update", "patch"):
		return allowed("")
	case !k.verb("get", "list", "watch"):
		return answer{}
	case k.GetName() == k.node:
		return allowed("")
	case k.GetName() == "":
		return silent("node '%s' cannot read all nodes, only its own Node object", k.node)
	default:
		return silent("node '%s' cannot read '%s', only its own Node object", k.node, k.GetName())
	}
}

// pod lets a node write every pod and, since 1.32, read its own only.
func (k kubelet) pod() answer {
	switch {
	case !k.since("1.32"):
		return k.uniform()
	case k.GetSubresource() == "status" && k.verb("update", "patch"), k.GetSubresource() == "eviction" && k.verb("create"):
		return allowed("")
	case k.GetSubresource() != "":
		return answer{}
	case k.verb("create", "delete"):
		return allowed("")
	case k.verb("get"):
		return k.related()
	case !k.verb("list", "watch"):
		return answer{}
	case k.selects("spec.nodeName"):
		return allowed("")
	case k.GetName() != "":
		return k.related()
	default:
		return silent("can only list/watch pods with spec.nodeName field selector")
	}
}

func (k kubelet) certificateRequest() answer {
	switch {
	case !k.serves():
		return answer{}
	case k.GetSubresource() != "":
		return silent("nodes may not access the status subresource of PodCertificateRequests")
	case k.verb("create"):
		return allowed("")
	case k.verb("get"):
		return k.related()
	case !k.verb("list", "watch"):
		return silent("nodes may not %s podcertificaterequests", k.GetVerb())
	case k.selects("spec.nodeName"):
		return allowed("")
	default:
		return silent("can only list/watch podcertificaterequests with nodeName field selector")
	}
}
