package review

import (
	"bytes"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// protobufPrefix starts everything that Kubernetes encodes as protobuf.
var protobufPrefix = []byte("k8s\x00")

// normalise makes JSON of the objects in a request, whatever they were sent
// as, and takes the name that the request lacks from the object, as the API
// server does.
func normalise(request *extant.ReviewedRequest, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, part := range []struct {
		name string
		raw  *runtime.RawExtension
	}{
		{"object", &request.Object}, {"oldObject", &request.OldObject}, {"options", &request.Options},
	} {
		if err := toJSON(part.raw); err != nil {
			errs = append(errs, field.Invalid(path.Child(part.name), field.OmitValueType{}, err.Error()))
		}
	}
	if len(errs) == 0 && request.Name == "" && (request.Operation == extant.OperationCreate || request.Operation == extant.OperationUpdate) {
		request.Name = nameIn(request.Object.Raw)
	}
	return errs
}

// toJSON makes JSON of an object. What is JSON stays as it was sent, but for
// spaces; null is no object.
func toJSON(raw *runtime.RawExtension) error {
	if raw.Raw == nil && raw.Object == nil {
		return nil
	}
	if bytes.HasPrefix(raw.Raw, protobufPrefix) {
		return fmt.Errorf("must be JSON or CBOR, not protobuf")
	}
	// The library tells JSON from CBOR, and converts the latter.
	text, err := raw.MarshalJSON()
	if err != nil {
		return fmt.Errorf("must be JSON or CBOR: %w", err)
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 || string(text) == "null" {
		*raw = runtime.RawExtension{}
		return nil
	}
	*raw = runtime.RawExtension{Raw: text}
	return nil
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
