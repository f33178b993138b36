package observe

import (
	"bytes"
	"encoding/json"
	"strings"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// malformed stands for an object that could not be understood. Without it, one
// such object would end every list and watch of its resource: it is known by
// its metadata, so that the others are read and the one is named.
type malformed struct {
	metav1.PartialObjectMetadata
	reason string
}

// DeepCopyObject returns the object itself: nobody changes it.
func (m *malformed) DeepCopyObject() runtime.Object { return m }

// tolerantSerializer decodes an object that cannot be understood to a
// malformed, where at least its metadata can.
type tolerantSerializer struct {
	runtime.NegotiatedSerializer
}

func (s tolerantSerializer) DecoderToVersion(decoder runtime.Decoder, version runtime.GroupVersioner) runtime.Decoder {
	return tolerantDecoder{s.NegotiatedSerializer.DecoderToVersion(decoder, version)}
}

type tolerantDecoder struct {
	runtime.Decoder
}

func (d tolerantDecoder) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	object, kind, err := d.Decoder.Decode(data, defaults, into)
	if err == nil || into != nil {
		return object, kind, err
	}
	if list, ok := d.decodeItems(data); ok {
		return list, kind, nil
	}
	if m, ok := malformedObject(data, err); ok {
		return m, kind, nil
	}
	return object, kind, err
}

// decodeItems decodes a list in JSON item by item. A list in protobuf that
// cannot be decoded is broken as a whole.
func (d tolerantDecoder) decodeItems(data []byte) (runtime.Object, bool) {
	var raw struct {
		metav1.TypeMeta
		metav1.ListMeta `json:"metadata"`
		Items           []json.RawMessage
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, false
	}
	kind, ok := strings.CutSuffix(raw.Kind, "List")
	if !ok {
		return nil, false
	}
	itemKind := schema.FromAPIVersionAndKind(raw.APIVersion, kind)
	list := &metainternalversion.List{ListMeta: raw.ListMeta}
	for _, item := range raw.Items {
		object, _, err := d.Decoder.Decode(item, &itemKind, nil)
		if err != nil {
			if object, ok = malformedObject(item, err); !ok {
				return nil, false
			}
		}
		list.Items = append(list.Items, object)
	}
	return list, true
}

// protobufMagic precedes what Kubernetes encodes as protobuf.
var protobufMagic = []byte("k8s\x00")

// malformedObject reads as much of an object as its metadata.
func malformedObject(data []byte, err error) (runtime.Object, bool) {
	m := &malformed{reason: err.Error()}
	if encoded, ok := bytes.CutPrefix(data, protobufMagic); ok {
		var unknown runtime.Unknown
		if unknown.Unmarshal(encoded) != nil || m.Unmarshal(unknown.Raw) != nil {
			return nil, false
		}
	} else if json.Unmarshal(data, &m.PartialObjectMetadata) != nil {
		return nil, false
	}
	if m.Name == "" {
		return nil, false
	}
	m.ManagedFields, m.Annotations = nil, nil
	return m, true
}
