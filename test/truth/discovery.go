package truth

import (
	"encoding/json"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// customResources returns what discovery says of the outage's custom
// resources: the recorded documents are those of a cluster without any.
func (s *Outage) customResources() ([]json.RawMessage, error) {
	var documents []json.RawMessage
	for _, text := range s.Objects {
		var crd apiextensionsv1.CustomResourceDefinition
		if kind := (metav1.TypeMeta{}); json.Unmarshal(text, &kind) != nil || kind.Kind != "CustomResourceDefinition" {
			continue
		}
		if err := json.Unmarshal(text, &crd); err != nil {
			return nil, err
		}
		document, err := json.Marshal(groupOf(&crd))
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
}

func groupOf(crd *apiextensionsv1.CustomResourceDefinition) *apidiscoveryv2.APIGroupDiscovery {
	group := &apidiscoveryv2.APIGroupDiscovery{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apidiscovery.k8s.io/v2", Kind: "APIGroupDiscovery"},
		ObjectMeta: metav1.ObjectMeta{Name: crd.Spec.Group},
	}
	scope := apidiscoveryv2.ScopeNamespace
	if crd.Spec.Scope == apiextensionsv1.ClusterScoped {
		scope = apidiscoveryv2.ScopeCluster
	}
	for _, version := range crd.Spec.Versions {
		if !version.Served {
			continue
		}
		group.Versions = append(group.Versions, apidiscoveryv2.APIVersionDiscovery{
			Version: version.Name,
			Resources: []apidiscoveryv2.APIResourceDiscovery{{
				Resource: crd.Spec.Names.Plural, Scope: scope,
				ResponseKind: &metav1.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind},
				Verbs:        []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"},
			}},
		})
	}
	return group
}
