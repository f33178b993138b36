// Package raw brings the raw objects inside of API objects into one form,
// JSON, at the edge of the server, whatever the wire was. It does not look
// into them.
package raw

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// protobufPrefix starts everything that Kubernetes encodes as protobuf.
var protobufPrefix = []byte("k8s\x00")

// ToJSON makes JSON of an object. What is JSON stays as it was sent, but for
// spaces around it; null is no object. An error leaves the object as it is.
func ToJSON(raw *runtime.RawExtension) error {
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
