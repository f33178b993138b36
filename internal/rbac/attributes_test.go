package rbac

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestAttributesOf(t *testing.T) {
	for name, test := range map[string]struct {
		request extant.ReviewedRequest
		want    authorizer.AttributesRecord
	}{
		"create has no name in its path": {
			extant.ReviewedRequest{Operation: "CREATE", Version: "v1", Resource: "pods", Namespace: "shop", Name: "web"},
			authorizer.AttributesRecord{Verb: "create", APIVersion: "v1", Resource: "pods", Namespace: "shop"},
		},
		"create of a subresource has": {
			extant.ReviewedRequest{Operation: "CREATE", Version: "v1", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "web"},
			authorizer.AttributesRecord{Verb: "create", APIVersion: "v1", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "web"},
		},
		"update is a put": {
			extant.ReviewedRequest{Operation: "UPDATE", Group: "apps", Version: "v1", Resource: "deployments", Namespace: "shop", Name: "web"},
			authorizer.AttributesRecord{Verb: "update", APIGroup: "apps", APIVersion: "v1", Resource: "deployments", Namespace: "shop", Name: "web"},
		},
		"delete": {
			extant.ReviewedRequest{Operation: "DELETE", Version: "v1", Resource: "pods", Namespace: "shop", Name: "web"},
			authorizer.AttributesRecord{Verb: "delete", APIVersion: "v1", Resource: "pods", Namespace: "shop", Name: "web"},
		},
		"delete without a name is of the collection": {
			extant.ReviewedRequest{Operation: "DELETE", Version: "v1", Resource: "pods", Namespace: "shop"},
			authorizer.AttributesRecord{Verb: "deletecollection", APIVersion: "v1", Resource: "pods", Namespace: "shop"},
		},
		"connect is a post": {
			extant.ReviewedRequest{Operation: "CONNECT", Version: "v1", Resource: "pods", Subresource: "exec", Namespace: "shop", Name: "web"},
			authorizer.AttributesRecord{Verb: "create", APIVersion: "v1", Resource: "pods", Subresource: "exec", Namespace: "shop", Name: "web"},
		},
		"a namespace is in itself": {
			extant.ReviewedRequest{Operation: "GET", Version: "v1", Resource: "namespaces", Name: "shop"},
			authorizer.AttributesRecord{Verb: "get", APIVersion: "v1", Resource: "namespaces", Namespace: "shop", Name: "shop"},
		},
		"its status, too": {
			extant.ReviewedRequest{Operation: "UPDATE", Version: "v1", Resource: "namespaces", Subresource: "status", Name: "shop"},
			authorizer.AttributesRecord{Verb: "update", APIVersion: "v1", Resource: "namespaces", Subresource: "status", Namespace: "shop", Name: "shop"},
		},
		"a new namespace is nowhere": {
			extant.ReviewedRequest{Operation: "CREATE", Version: "v1", Resource: "namespaces", Name: "shop"},
			authorizer.AttributesRecord{Verb: "create", APIVersion: "v1", Resource: "namespaces"},
		},
		"a selected namespace is nowhere": {
			extant.ReviewedRequest{Operation: "WATCH", Version: "v1", Resource: "namespaces", Name: "shop"},
			authorizer.AttributesRecord{Verb: "watch", APIVersion: "v1", Resource: "namespaces", Name: "shop"},
		},
		"namespaces of another group are no Namespaces": {
			extant.ReviewedRequest{Operation: "GET", Group: "example.com", Version: "v1", Resource: "namespaces", Name: "shop"},
			authorizer.AttributesRecord{Verb: "get", APIGroup: "example.com", APIVersion: "v1", Resource: "namespaces", Name: "shop"},
		},
		"list": {
			extant.ReviewedRequest{Operation: "LIST", Version: "v1", Resource: "pods"},
			authorizer.AttributesRecord{Verb: "list", APIVersion: "v1", Resource: "pods"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.ResourceRequest = true
			if diff := cmp.Diff(test.want, AttributesOf(nil, &test.request)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
