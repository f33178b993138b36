package fakeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/extant-project/extant/internal/cluster"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// encoding is how one answer is written.
type encoding struct {
	row         cluster.Resource
	contentType string
	info        runtime.SerializerInfo
	// metadata leaves out all but the metadata.
	metadata bool
}

// negotiate picks what the client accepts and the objects allow.
func negotiate(accept string, row cluster.Resource, all []stored) encoding {
	e := encoding{row: row, metadata: strings.Contains(accept, "as=PartialObjectMetadata")}
	e.contentType = "application/json"
	_, isUnstructured := row.New().(runtime.Unstructured)
	raw := slices.ContainsFunc(all, func(entry stored) bool { return entry.raw != nil })
	if strings.Contains(accept, protobuf) && !isUnstructured && !raw {
		e.contentType = protobuf
	}
	e.info, _ = runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), e.contentType)
	return e
}

// object encodes one object.
func (e encoding) object(entry stored) ([]byte, error) {
	if entry.raw != nil {
		return entry.raw, nil
	}
	return e.encode(e.reduced(entry.object))
}

func (e encoding) encode(object runtime.Object) ([]byte, error) {
	if _, ok := object.(runtime.Unstructured); ok {
		return json.Marshal(object)
	}
	kinds, _, err := scheme.ObjectKinds(object)
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	err = codecs.EncoderForVersion(e.info.Serializer, kinds[0].GroupVersion()).Encode(object, &buffer)
	return buffer.Bytes(), err
}

// reduced returns what is sent of an object.
func (e encoding) reduced(object runtime.Object) runtime.Object {
	if !e.metadata {
		return object
	}
	partial := meta.AsPartialObjectMetadata(must(meta.Accessor(object)))
	partial.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"))
	return partial
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// list encodes a page.
func (e encoding) list(all []stored, listMeta metav1.ListMeta) ([]byte, error) {
	if e.contentType != protobuf {
		return e.jsonList(all, listMeta)
	}
	var list runtime.Object
	if e.metadata {
		list = &metav1.PartialObjectMetadataList{}
	} else {
		var err error
		if list, err = scheme.New(e.kind("List")); err != nil {
			return nil, err
		}
	}
	objects := make([]runtime.Object, 0, len(all))
	for _, entry := range all {
		objects = append(objects, e.reduced(entry.object))
	}
	if err := meta.SetList(list, objects); err != nil {
		return nil, err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return nil, err
	}
	accessor.SetResourceVersion(listMeta.ResourceVersion)
	accessor.SetContinue(listMeta.Continue)
	return e.encode(list)
}

func (e encoding) jsonList(all []stored, listMeta metav1.ListMeta) ([]byte, error) {
	items := make([]json.RawMessage, 0, len(all))
	for _, entry := range all {
		item, err := e.object(entry)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	kind := e.kind("List")
	if e.metadata {
		kind = metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList")
	}
	return json.Marshal(map[string]any{"kind": kind.Kind, "apiVersion": kind.GroupVersion().String(), "metadata": listMeta, "items": items})
}

func (e encoding) kind(suffix string) schema.GroupVersionKind {
	return e.row.GroupVersion().WithKind(e.row.Kind + suffix)
}

// stream writes the events of a watch.
type stream struct {
	encoding
	w      http.ResponseWriter
	frames io.Writer
	sent   int
}

func (e encoding) stream(w http.ResponseWriter) *stream {
	contentType := e.contentType
	if contentType == protobuf {
		contentType += ";stream=watch"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusOK)
	s := &stream{encoding: e, w: w, frames: e.info.StreamSerializer.NewFrameWriter(w)}
	w.(http.Flusher).Flush()
	return s
}

func (s *stream) send(kind watch.EventType, entry stored) error {
	if entry.raw != nil && s.contentType == protobuf {
		return fmt.Errorf("JSON does not fit a stream of protobuf")
	}
	data, err := s.object(entry)
	if err != nil {
		return err
	}
	if err := s.frame(kind, data); err != nil {
		return err
	}
	// Initial events go out together.
	if s.sent++; s.sent%1000 == 0 {
		s.w.(http.Flusher).Flush()
	}
	return nil
}

func (s *stream) frame(kind watch.EventType, data []byte) error {
	var buffer bytes.Buffer
	event := &metav1.WatchEvent{Type: string(kind), Object: runtime.RawExtension{Raw: data}}
	if err := s.info.StreamSerializer.Encode(event, &buffer); err != nil {
		return err
	}
	_, err := s.frames.Write(buffer.Bytes())
	return err
}

// bookmark ends the initial events.
func (s *stream) bookmark(version uint64) error {
	object := s.row.New()
	if u, ok := object.(runtime.Unstructured); ok {
		u.GetObjectKind().SetGroupVersionKind(s.kind(""))
	}
	accessor := must(meta.Accessor(object))
	accessor.SetResourceVersion(fmt.Sprint(version))
	accessor.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	data, err := s.encode(s.reduced(object))
	if err != nil {
		return err
	}
	defer s.w.(http.Flusher).Flush()
	return s.frame(watch.Bookmark, data)
}

// fail ends the watch with an error.
func (s *stream) fail(err *apierrors.StatusError) {
	if data, encodeErr := s.encode(&err.ErrStatus); encodeErr == nil {
		_ = s.frame(watch.Error, data)
	}
}
