package validation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

var (
	requestOperations = []extant.RequestOperation{extant.OperationCreate, extant.OperationUpdate, extant.OperationDelete,
		extant.OperationConnect, extant.OperationGet, extant.OperationList, extant.OperationWatch}
	assumedBackends  = []extant.AssumedBackends{extant.BackendsObserved, extant.BackendsAllAvailable, extant.BackendsAllUnavailable}
	watchCacheStates = []extant.WatchCacheState{extant.WatchCacheWarm, extant.WatchCacheCold}
)

const (
	// maxObjectBytes is what the API server's storage takes of one object.
	maxObjectBytes = 3 << 19
	// maxOptionsBytes is far above what any options hold.
	maxOptionsBytes = 1 << 16
	// maxUnavailable bounds the backends that a review takes to be down.
	maxUnavailable = 1000
	// maxGroups and maxExtraValues bound a user: each needs a check of its own.
	maxGroups, maxExtraValues = 256, 256
)

// ValidateRequestReview says what is wrong with a review, as far as it can be
// told without the observed cluster. The objects in it are JSON.
func ValidateRequestReview(review *extant.RequestReview) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateReviewedRequest(&review.Spec.Request, path.Child("request"))
	errs = append(errs, validateUser(review.Spec.User, path.Child("user"))...)
	return append(errs, validateRequestAssumptions(&review.Spec.Assume, path.Child("assume"))...)
}

func validateReviewedRequest(r *extant.ReviewedRequest, path *field.Path) field.ErrorList {
	errs := oneOf(r.Operation, requestOperations, path.Child("operation"))
	errs = append(errs, groupName(r.Group, path.Child("group"))...)
	errs = append(errs, segment(r.Version, "the version of the API group, such as v1", path.Child("version"))...)
	errs = append(errs, validateReviewedResource(r.Resource, path.Child("resource"))...)
	errs = append(errs, subresourceName(r.Subresource, path.Child("subresource"))...)
	errs = append(errs, namespaceName(r.Namespace, path.Child("namespace"))...)
	errs = append(errs, validateRequestName(r, path.Child("name"))...)
	return append(errs, validateRequestObjects(r, path)...)
}

// validateReviewedResource allows no subresource and no wildcard: a request is
// about one resource.
func validateReviewedResource(resource string, path *field.Path) field.ErrorList {
	if strings.Contains(resource, "/") {
		return field.ErrorList{field.Invalid(path, resource, "must be a resource alone: name the subresource in subresource")}
	}
	return resourceName(resource, path)
}

// validateRequestName requires a name where a request cannot go without one: a
// DELETE without is that of a collection, and names can be generated.
func validateRequestName(r *extant.ReviewedRequest, path *field.Path) field.ErrorList {
	if r.Name != "" {
		return segment(r.Name, "", path)
	}
	switch r.Operation {
	case extant.OperationUpdate, extant.OperationConnect, extant.OperationGet:
		return field.ErrorList{field.Required(path, fmt.Sprintf("the name of the object: %s is about one", r.Operation))}
	}
	if r.Subresource != "" {
		return field.ErrorList{field.Required(path, "the name of the object that the subresource is of")}
	}
	return nil
}

func validateRequestObjects(r *extant.ReviewedRequest, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, part := range []struct {
		name    string
		raw     runtime.RawExtension
		most    int
		carried []extant.RequestOperation
		hint    string
	}{
		{"object", r.Object, maxObjectBytes, []extant.RequestOperation{extant.OperationCreate, extant.OperationUpdate, extant.OperationConnect},
			"the request sends no object"},
		{"oldObject", r.OldObject, maxObjectBytes, []extant.RequestOperation{extant.OperationUpdate, extant.OperationDelete},
			"there is no object before the request that admission would see"},
		{"options", r.Options, maxOptionsBytes, requestOperations, ""},
	} {
		if len(part.raw.Raw) == 0 {
			continue
		}
		child := path.Child(part.name)
		if slices.Contains(requestOperations, r.Operation) && !slices.Contains(part.carried, r.Operation) {
			errs = append(errs, field.Forbidden(child, fmt.Sprintf("must be absent with %s: %s", r.Operation, part.hint)))
			continue
		}
		metadata, wrong := validateRawObject(part.raw.Raw, part.most, child)
		errs = append(errs, wrong...)
		if part.name == "object" && r.Operation != extant.OperationConnect && metadata != nil {
			errs = append(errs, validateSent(r, metadata, child)...)
		}
	}
	return errs
}

// validateRawObject requires a JSON object of bounded size whose metadata has
// the form of metadata, and returns that.
func validateRawObject(raw []byte, most int, path *field.Path) (*metav1.PartialObjectMetadata, field.ErrorList) {
	if len(raw) > most {
		return nil, field.ErrorList{field.Invalid(path, fmt.Sprintf("%d bytes", len(raw)), fmt.Sprintf("must have at most %d bytes as JSON", most))}
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return nil, field.ErrorList{field.TypeInvalid(path, field.OmitValueType{}, "must be an object")}
	}
	if !json.Valid(raw) {
		return nil, field.ErrorList{field.Invalid(path, field.OmitValueType{}, "must be valid JSON")}
	}
	metadata := &metav1.PartialObjectMetadata{}
	var wrongType *json.UnmarshalTypeError
	switch err := json.Unmarshal(raw, metadata); {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return nil, field.ErrorList{field.TypeInvalid(path.Child(wrongType.Field), field.OmitValueType{}, "must not be a "+wrongType.Value)}
	case err != nil:
		return nil, field.ErrorList{field.Invalid(path.Child("metadata"), field.OmitValueType{}, err.Error())}
	}
	return metadata, nil
}

// validateSent requires of a sent object what the API server requires before
// it does anything else: that it is where the request says it is.
func validateSent(r *extant.ReviewedRequest, sent *metav1.PartialObjectMetadata, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if sent.Name != "" && r.Name != "" && sent.Name != r.Name {
		errs = append(errs, field.Invalid(path.Child("metadata", "name"), sent.Name, fmt.Sprintf("must be the name of the request, %q", r.Name)))
	}
	if sent.Namespace != "" && r.Namespace != "" && sent.Namespace != r.Namespace {
		errs = append(errs, field.Invalid(path.Child("metadata", "namespace"), sent.Namespace, fmt.Sprintf("must be the namespace of the request, %q", r.Namespace)))
	}
	// What a subresource takes is of a kind of its own, often of another group.
	expected := schema.GroupVersion{Group: r.Group, Version: r.Version}.String()
	if r.Subresource == "" && sent.APIVersion != "" && sent.APIVersion != expected {
		errs = append(errs, field.Invalid(path.Child("apiVersion"), sent.APIVersion, fmt.Sprintf("must be the group and version of the request, %s", expected)))
	}
	return errs
}

func validateUser(user *authenticationv1.UserInfo, path *field.Path) field.ErrorList {
	if user == nil {
		return nil
	}
	var errs field.ErrorList
	if user.Username == "" {
		errs = append(errs, field.Required(path.Child("username"), "the name of the user"))
	}
	errs = append(errs, atMost(user.Groups, maxGroups, path.Child("groups"))...)
	for i, group := range user.Groups {
		if group == "" {
			errs = append(errs, field.Required(path.Child("groups").Index(i), "the name of a group"))
		}
	}
	values := 0
	for key, extra := range user.Extra {
		values += len(extra)
		if key == "" {
			errs = append(errs, field.Required(path.Child("extra"), "a key"))
		}
	}
	if values > maxExtraValues {
		errs = append(errs, field.TooMany(path.Child("extra"), values, maxExtraValues))
	}
	return errs
}

func validateRequestAssumptions(assume *extant.RequestAssumptions, path *field.Path) field.ErrorList {
	errs := oneOf(assume.Backends, assumedBackends, path.Child("backends"))
	errs = append(errs, optionalOneOf(assume.WatchCache, watchCacheStates, path.Child("watchCache"))...)
	return append(errs, eachOf(assume.Unavailable, maxUnavailable, subdomain, path.Child("unavailable"))...)
}
