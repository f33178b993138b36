package rbac

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// UserOf is a user as authorizers see it.
func UserOf(info *authenticationv1.UserInfo) user.Info {
	extra := make(map[string][]string, len(info.Extra))
	for key, values := range info.Extra {
		extra[key] = values
	}
	return &user.DefaultInfo{Name: info.Username, UID: info.UID, Groups: info.Groups, Extra: extra}
}

// AttributesOf is what authorizers see of a request.
//
// An operation of admission does not tell the HTTP method, and so not the verb
// of every request. An UPDATE is taken to be a PUT (update): a patch needs the
// verb patch instead. A CREATE is taken to be a POST: a PUT or an apply of what
// is not there needs update or patch, and then create as well. A CONNECT is
// taken to be a POST (create), as of exec, attach and port-forward before
// WebSockets: with them it is get, and for a proxy the verb of its own method.
func AttributesOf(who user.Info, request *extant.ReviewedRequest) authorizer.AttributesRecord {
	attributes := authorizer.AttributesRecord{
		User:            who,
		Verb:            verbOf(request),
		Namespace:       request.Namespace,
		APIGroup:        request.Group,
		APIVersion:      request.Version,
		Resource:        request.Resource,
		Subresource:     request.Subresource,
		Name:            request.Name,
		ResourceRequest: true,
	}
	// The path of a POST ends with the collection, whatever the object is called.
	if request.Operation == extant.OperationCreate && request.Subresource == "" {
		attributes.Name = ""
	}
	// The path of a Namespace is that of what is in it, so that a RoleBinding in
	// it counts. The path of all Namespaces is not, even if one is selected.
	if request.Group == "" && request.Resource == "namespaces" {
		attributes.Namespace = ""
		if attributes.Verb != "list" && attributes.Verb != "watch" {
			attributes.Namespace = attributes.Name
		}
	}
	return attributes
}

func verbOf(request *extant.ReviewedRequest) string {
	switch request.Operation {
	case extant.OperationCreate, extant.OperationConnect:
		return "create"
	case extant.OperationUpdate:
		return "update"
	case extant.OperationDelete:
		if request.Name == "" {
			return "deletecollection"
		}
		return "delete"
	case extant.OperationGet:
		return "get"
	case extant.OperationList:
		return "list"
	case extant.OperationWatch:
		return "watch"
	default:
		return ""
	}
}
