package dump

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission/plugin/manifest"

	"github.com/extant-project/extant/internal/cluster"
)

// StaticAdmission reads the manifests of webhooks and policies that lie beside
// an API server (KEP-5793): a file, or a directory of them. What the API server
// would not load is an error.
func StaticAdmission(path string) ([]cluster.Edit, error) {
	contents, err := readPath(path)
	if err != nil {
		return nil, reasonOf(err)
	}
	for _, gap := range contents.gaps {
		if gap.Reason == cluster.GapMalformed {
			return nil, errors.New(gap.Message)
		}
	}
	for kind, objects := range contents.others {
		for at := range objects {
			return nil, fmt.Errorf("the %s %q is no webhook configuration, policy or binding", kind.Kind, at.name)
		}
	}
	var declared []cluster.Edit
	for resource, objects := range contents.objects {
		for _, object := range objects {
			if err := contents.checkStatic(resource, object); err != nil {
				return nil, err
			}
			declared = append(declared, cluster.Edit{Resource: resource, Name: object.GetName(), Object: object})
		}
	}
	slices.SortFunc(declared, func(x, y cluster.Edit) int {
		return cmp.Or(cmp.Compare(x.Resource.String(), y.Resource.String()), cmp.Compare(x.Name, y.Name))
	})
	return declared, nil
}

// sameEdits tells whether two lists declare the same.
func sameEdits(x, y []cluster.Edit) bool {
	return slices.EqualFunc(x, y, func(x, y cluster.Edit) bool {
		return x.Resource == y.Resource && x.Name == y.Name && equality.Semantic.DeepEqual(x.Object, y.Object)
	})
}

// checkStatic says why the API server would not load a manifest.
func (c *Contents) checkStatic(resource schema.GroupResource, object cluster.Object) error {
	if !strings.HasSuffix(object.GetName(), manifest.StaticConfigSuffix) {
		return fmt.Errorf("the name of %s %q does not end in %s", resource.Resource, object.GetName(), manifest.StaticConfigSuffix)
	}
	switch one := object.(type) {
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range one.Webhooks {
			if err := checkClient(one.Name, one.Webhooks[i].Name, one.Webhooks[i].ClientConfig); err != nil {
				return err
			}
		}
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range one.Webhooks {
			if err := checkClient(one.Name, one.Webhooks[i].Name, one.Webhooks[i].ClientConfig); err != nil {
				return err
			}
		}
	case *admissionregistrationv1.MutatingAdmissionPolicy:
		return checkParams(one.Name, one.Spec.ParamKind != nil)
	case *admissionregistrationv1.ValidatingAdmissionPolicy:
		return checkParams(one.Name, one.Spec.ParamKind != nil)
	case *admissionregistrationv1.MutatingAdmissionPolicyBinding:
		return c.checkBinding("mutatingadmissionpolicies", one.Name, one.Spec.PolicyName, one.Spec.ParamRef != nil)
	case *admissionregistrationv1.ValidatingAdmissionPolicyBinding:
		return c.checkBinding("validatingadmissionpolicies", one.Name, one.Spec.PolicyName, one.Spec.ParamRef != nil)
	default:
		return fmt.Errorf("%s %q is no webhook configuration, policy or binding", resource.Resource, object.GetName())
	}
	return nil
}

func checkClient(configuration, hook string, client admissionregistrationv1.WebhookClientConfig) error {
	if client.Service != nil || client.URL == nil || *client.URL == "" {
		return fmt.Errorf("the webhook %q of %q is not called by a URL, and a static one has to be", hook, configuration)
	}
	return nil
}

func checkParams(name string, has bool) error {
	if has {
		return fmt.Errorf("%q has params, and what is static cannot have any", name)
	}
	return nil
}

func (c *Contents) checkBinding(policies, name, policy string, params bool) error {
	if _, ok := c.objects[schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: policies}][key{name: policy}]; !ok {
		return fmt.Errorf("the binding %q names the policy %q, which is not among the manifests", name, policy)
	}
	return checkParams(name, params)
}
