package extant

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of Extant.
const GroupName = "extant.dev"

// SchemeGroupVersion is the group with the internal hub version.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: runtime.APIVersionInternal}

var (
	// SchemeBuilder collects what adds this package to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme adds the types of this package to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&Backend{}, &BackendList{},
		&ComponentConfiguration{}, &ComponentConfigurationList{},
		&Extension{}, &ExtensionList{},
		&ExtensionPoint{}, &ExtensionPointList{},
		&ExtensionPolicy{}, &ExtensionPolicyList{},
		&Finding{}, &FindingList{},
		&NodePluginReport{}, &NodePluginReportList{},
		&OutageReview{},
		&RequestReview{},
	)
	return nil
}

// Kind qualifies a kind with the group.
func Kind(kind string) schema.GroupKind {
	return SchemeGroupVersion.WithKind(kind).GroupKind()
}

// Resource qualifies a resource name with the group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}
