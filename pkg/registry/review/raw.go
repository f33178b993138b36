package review

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/registry/raw"
)

// normalise makes JSON of the objects in a request, whatever they were sent
// as, and takes the name that the request lacks from the object, as the API
// server does.
func normalise(request *extant.ReviewedRequest, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, part := range []struct {
		name   string
		object *runtime.RawExtension
	}{
		{"object", &request.Object}, {"oldObject", &request.OldObject}, {"options", &request.Options},
	} {
		if err := raw.ToJSON(part.object); err != nil {
			errs = append(errs, field.Invalid(path.Child(part.name), field.OmitValueType{}, err.Error()))
		}
	}
	if len(errs) == 0 && request.Name == "" && (request.Operation == extant.OperationCreate || request.Operation == extant.OperationUpdate) {
		request.Name = nameIn(request.Object.Raw)
	}
	return errs
}

// nameIn returns the name of an object, or nothing. Whether the object is well
// formed is for validation to say.
func nameIn(text []byte) string {
	var sent metav1.PartialObjectMetadata
	if len(text) == 0 || json.Unmarshal(text, &sent) != nil {
		return ""
	}
	return sent.Name
}
