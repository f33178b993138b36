package stored

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/generic/registry"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

// maxExtensionPoints bounds the points, because each may make Extant watch
// further resources.
const maxExtensionPoints = 256

func extensionPoints(authorizer authorizer.Authorizer) kind[*extant.ExtensionPoint] {
	return kind[*extant.ExtensionPoint]{
		resource:   "extensionpoints",
		singular:   "extensionpoint",
		shortNames: []string{"extp"},
		newObject:  func() *extant.ExtensionPoint { return &extant.ExtensionPoint{} },
		newList:    func() runtime.Object { return &extant.ExtensionPointList{} },
		columns:    printers.ExtensionPoints,
		selectable: func(p *extant.ExtensionPoint) fields.Set {
			return fields.Set{
				"spec.caller":  p.Spec.Caller,
				"spec.pattern": string(p.Spec.Pattern),
				"spec.region":  string(p.Spec.Region),
			}
		},
		sameSpec: func(updated, old *extant.ExtensionPoint) bool {
			return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
		},
		validate:       validation.ValidateExtensionPoint,
		validateUpdate: validation.ValidateExtensionPointUpdate,
		status: &statusOf[*extant.ExtensionPoint]{
			copySpec:       func(to, from *extant.ExtensionPoint) { to.Spec = from.Spec },
			copyStatus:     func(to, from *extant.ExtensionPoint) { to.Status = from.Status },
			validateUpdate: validation.ValidateExtensionPointStatusUpdate,
		},
		warnings: validation.WarningsForExtensionPoint,
		admit: func(ctx context.Context, store *registry.Store, point, old *extant.ExtensionPoint) error {
			if old == nil {
				if err := admitOneMore(ctx, store); err != nil {
					return err
				}
				old = &extant.ExtensionPoint{}
			}
			return admitRegistrations(ctx, authorizer, point, old)
		},
	}
}

// admitOneMore refuses a point when there are as many as there may be.
func admitOneMore(ctx context.Context, store *registry.Store) error {
	list, err := store.List(ctx, &internalversion.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	if len(list.(*extant.ExtensionPointList).Items) >= maxExtensionPoints {
		return apierrors.NewForbidden(extant.Resource("extensionpoints"), "", fmt.Errorf("there are %d already: delete one first", maxExtensionPoints))
	}
	return nil
}

// admitRegistrations refuses resources that the caller could not list: what
// Extant finds there is shown in the point's status to everybody who may read
// the point.
func admitRegistrations(ctx context.Context, authz authorizer.Authorizer, point, old *extant.ExtensionPoint) error {
	for i, registration := range point.Spec.RegisteredBy {
		if registration.Resource == "" || slices.Contains(old.Spec.RegisteredBy, registration) {
			continue
		}
		caller, ok := request.UserFrom(ctx)
		if !ok {
			return apierrors.NewInternalError(fmt.Errorf("the request has no user"))
		}
		decision, reason, err := authz.Authorize(ctx, authorizer.AttributesRecord{
			User:            caller,
			Verb:            "list",
			APIGroup:        registration.Group,
			APIVersion:      "*",
			Resource:        registration.Resource,
			ResourceRequest: true,
		})
		if err != nil {
			return apierrors.NewInternalError(fmt.Errorf("could not check spec.registeredBy[%d]: %w", i, err))
		}
		if decision != authorizer.DecisionAllow {
			message := fmt.Sprintf("spec.registeredBy[%d]: user %q must be allowed to list %s in every namespace to have them observed",
				i, caller.GetName(), schema.GroupResource{Group: registration.Group, Resource: registration.Resource})
			if reason != "" {
				message += ": " + reason
			}
			return apierrors.NewForbidden(extant.Resource("extensionpoints"), point.Name, fmt.Errorf("%s", message))
		}
	}
	return nil
}
