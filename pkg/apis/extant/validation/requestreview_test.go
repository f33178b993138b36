package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"shop"}}`

func raw(text string) runtime.RawExtension { return runtime.RawExtension{Raw: []byte(text)} }

// createPod is a review without mistakes.
func createPod() *extant.RequestReview {
	return &extant.RequestReview{Spec: extant.RequestReviewSpec{
		Request: extant.ReviewedRequest{Operation: extant.OperationCreate, Version: "v1", Resource: "pods", Namespace: "shop", Name: "web-0", Object: raw(pod)},
		Assume:  extant.RequestAssumptions{Backends: extant.BackendsObserved},
	}}
}

func TestRequestReview(t *testing.T) {
	long := strings.Repeat("x", maxObjectBytes)
	for _, test := range []struct {
		name   string
		change func(*extant.RequestReviewSpec)
		want   []string
	}{
		{"the object is as the request says", func(*extant.RequestReviewSpec) {}, nil},
		{"nothing is said", func(s *extant.RequestReviewSpec) { *s = extant.RequestReviewSpec{} }, []string{
			"spec.request.operation: Required value: one of CREATE, UPDATE, DELETE, CONNECT, GET, LIST, WATCH",
			"spec.request.version: Required value: the version of the API group, such as v1",
			"spec.request.resource: Required value: the plural, lower-case name of a resource",
			"spec.assume.backends: Required value: one of Observed, AllAvailable, AllUnavailable",
		}},
		{"words that no enumeration has", func(s *extant.RequestReviewSpec) {
			s.Request.Operation, s.Assume.Backends, s.Assume.WatchCache = "PATCH", "Half", "Tepid"
		}, []string{
			`spec.request.operation: Unsupported value: "PATCH": supported values: "CREATE", "UPDATE", "DELETE", "CONNECT", "GET", "LIST", "WATCH"`,
			`spec.assume.backends: Unsupported value: "Half": supported values: "Observed", "AllAvailable", "AllUnavailable"`,
			`spec.assume.watchCache: Unsupported value: "Tepid": supported values: "Warm", "Cold"`,
		}},
		{"a subresource in the resource", func(s *extant.RequestReviewSpec) { s.Request.Resource = "pods/exec" }, []string{
			`spec.request.resource: Invalid value: "pods/exec": must be a resource alone: name the subresource in subresource`,
		}},
		{"an update without a name", func(s *extant.RequestReviewSpec) { s.Request.Operation, s.Request.Name = extant.OperationUpdate, "" }, []string{
			"spec.request.name: Required value: the name of the object: UPDATE is about one",
		}},
		{"a deletion of a collection", func(s *extant.RequestReviewSpec) {
			s.Request = extant.ReviewedRequest{Operation: extant.OperationDelete, Version: "v1", Resource: "pods", Namespace: "shop", OldObject: raw(pod)}
		}, nil},
		{"the creation of a subresource without a name", func(s *extant.RequestReviewSpec) {
			s.Request.Name, s.Request.Subresource = "", "eviction"
		}, []string{"spec.request.name: Required value: the name of the object that the subresource is of"}},
		{"an object in a deletion", func(s *extant.RequestReviewSpec) { s.Request.Operation = extant.OperationDelete }, []string{
			"spec.request.object: Forbidden: must be absent with DELETE: the request sends no object",
		}},
		{"an old object in a creation", func(s *extant.RequestReviewSpec) { s.Request.OldObject = raw(pod) }, []string{
			"spec.request.oldObject: Forbidden: must be absent with CREATE: there is no object before the request that admission would see",
		}},
		{"an object in a list", func(s *extant.RequestReviewSpec) { s.Request.Operation = extant.OperationList }, []string{
			"spec.request.object: Forbidden: must be absent with LIST: the request sends no object",
		}},
		{"a list for an object", func(s *extant.RequestReviewSpec) { s.Request.Object = raw(`[]`) }, []string{
			"spec.request.object: Invalid value: must be an object",
		}},
		{"half an object", func(s *extant.RequestReviewSpec) { s.Request.Object = raw(`{"metadata":`) }, []string{
			"spec.request.object: Invalid value: must be valid JSON",
		}},
		{"labels that are numbers", func(s *extant.RequestReviewSpec) { s.Request.Object = raw(`{"metadata":{"labels":{"a":1}}}`) }, []string{
			"spec.request.object.metadata.labels: Invalid value: must not be a number",
		}},
		{"an object of another name, namespace and version", func(s *extant.RequestReviewSpec) {
			s.Request.Object = raw(`{"apiVersion":"apps/v1","metadata":{"name":"a","namespace":"b"}}`)
		}, []string{
			`spec.request.object.metadata.name: Invalid value: "a": must be the name of the request, "web-0"`,
			`spec.request.object.metadata.namespace: Invalid value: "b": must be the namespace of the request, "shop"`,
			`spec.request.object.apiVersion: Invalid value: "apps/v1": must be the group and version of the request, v1`,
		}},
		{"what a subresource takes is of another group", func(s *extant.RequestReviewSpec) {
			s.Request.Subresource, s.Request.Object = "eviction", raw(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"web-0"}}`)
		}, nil},
		{"too large objects", func(s *extant.RequestReviewSpec) {
			s.Request.Operation = extant.OperationUpdate
			s.Request.Object, s.Request.OldObject = raw(`{"a":"`+long+`"}`), raw(`{"a":"`+long+`"}`)
		}, []string{
			`spec.request.object: Invalid value: "1572872 bytes": must have at most 1572864 bytes as JSON`,
			`spec.request.oldObject: Invalid value: "1572872 bytes": must have at most 1572864 bytes as JSON`,
		}},
		{"a user without a name", func(s *extant.RequestReviewSpec) { s.User = &authenticationv1.UserInfo{Groups: []string{""}} }, []string{
			"spec.user.username: Required value: the name of the user",
			"spec.user.groups[0]: Required value: the name of a group",
		}},
		{"more backends than there may be", func(s *extant.RequestReviewSpec) { s.Assume.Unavailable = make([]string, maxUnavailable+1) }, []string{
			"spec.assume.unavailable: Too many: 1001: must have at most 1000 items",
		}},
		{"a backend that no name is", func(s *extant.RequestReviewSpec) { s.Assume.Unavailable = []string{"istiod.istio-system.443", "A B"} }, []string{
			`spec.assume.unavailable[1]: Invalid value: "A B": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
		}},
		{"names with slashes", func(s *extant.RequestReviewSpec) {
			s.Request = extant.ReviewedRequest{Operation: extant.OperationGet, Version: "v1", Resource: "pods", Subresource: "a/%", Name: "x/y", Namespace: "UP", Group: "-"}
		}, []string{
			`spec.request.group: Invalid value: "-": `,
			`spec.request.subresource: Invalid value: "%": may not contain '%'`,
			`spec.request.namespace: Invalid value: "UP": `,
			`spec.request.name: Invalid value: "x/y": may not contain '/'`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			review := createPod()
			test.change(&review.Spec)
			if diff := cmp.Diff(test.want, messages(ValidateRequestReview(review)), cmp.Comparer(hasPrefix)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// hasPrefix compares messages, of which the expected one may leave out how the
// library goes on.
func hasPrefix(x, y string) bool {
	return x == y || strings.HasSuffix(x, ": ") && strings.HasPrefix(y, x) || strings.HasSuffix(y, ": ") && strings.HasPrefix(x, y)
}

func messages(errs field.ErrorList) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}
