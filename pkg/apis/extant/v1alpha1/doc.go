// +k8s:openapi-gen=true
// +k8s:deepcopy-gen=package
// +k8s:conversion-gen=github.com/extant-project/extant/pkg/apis/extant
// +k8s:defaulter-gen=TypeMeta
// +k8s:protobuf-gen=package
// +groupName=extant.dev
// +k8s:openapi-model-package=dev.extant.v1alpha1

// Package v1alpha1 holds the served types of the API group extant.dev: what
// extends a Kubernetes cluster, at which extension points, and behind which
// backends. The comments of its fields are what kubectl explain prints. It
// stands on apimachinery alone; the hub types beside it are what the rest of
// the project speaks.
package v1alpha1
