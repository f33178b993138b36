package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ComponentConfiguration is the settings of one instance of a component of the
// observed cluster, as far as they can be seen. Secrets in them are redacted.
type ComponentConfiguration struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. The name is <component>.<instance>.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The settings.
	Spec ComponentConfigurationSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// What is notable about them. Written by Extant.
	// +optional
	Status ComponentConfigurationStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// ComponentConfigurationSpec is the settings of one instance of a component.
type ComponentConfigurationSpec struct {
	// The component, such as kube-apiserver or kubelet.
	Component string `json:"component" protobuf:"bytes,1,opt,name=component"`
	// The instance: the node that it runs on, or the name of its pod.
	Instance string `json:"instance" protobuf:"bytes,2,opt,name=instance"`
	// The version of the component, such as v1.37.2.
	// +optional
	Version string `json:"version,omitempty" protobuf:"bytes,3,opt,name=version"`
	// Where the settings were seen, such as /flagz, /configz or the command
	// line of a static pod. At most 256 characters.
	// +optional
	Source string `json:"source,omitempty" protobuf:"bytes,4,opt,name=source"`
	// The flags, without leading dashes, with their values. At most 1024.
	// +optional
	Flags map[string]string `json:"flags,omitempty" protobuf:"bytes,5,rep,name=flags"`
	// The feature gates that are set. At most 1024.
	// +optional
	FeatureGates map[string]bool `json:"featureGates,omitempty" protobuf:"bytes,6,rep,name=featureGates"`
	// The configuration object that the component was started with. At most
	// 256 KiB.
	// +optional
	Configuration runtime.RawExtension `json:"configuration,omitzero" protobuf:"bytes,7,opt,name=configuration"`
}

// ComponentConfigurationStatus is what is notable about an instance's settings.
type ComponentConfigurationStatus struct {
	// The instances of the component whose settings differ from these.
	// +optional
	// +listType=set
	DriftsFrom []string `json:"driftsFrom,omitempty" protobuf:"bytes,1,rep,name=driftsFrom"`
	// The settings that are deprecated, or gone in the next minor version.
	// +optional
	// +listType=set
	Deprecated []string `json:"deprecated,omitempty" protobuf:"bytes,2,rep,name=deprecated"`
	// The settings that differ from their defaults.
	// +optional
	// +listType=set
	Changed []string `json:"changed,omitempty" protobuf:"bytes,3,rep,name=changed"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ComponentConfigurationList is a list of ComponentConfigurations.
type ComponentConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The configurations.
	Items []ComponentConfiguration `json:"items" protobuf:"bytes,2,rep,name=items"`
}
