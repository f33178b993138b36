package stored

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/generic/registry"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
	"github.com/extant-project/extant/pkg/printers"
)

func nodePluginReports(callersAreKnown bool) kind[*extant.NodePluginReport] {
	reports := kind[*extant.NodePluginReport]{
		resource:   "nodepluginreports",
		singular:   "nodepluginreport",
		shortNames: []string{"npr"},
		newObject:  func() *extant.NodePluginReport { return &extant.NodePluginReport{} },
		newList:    func() runtime.Object { return &extant.NodePluginReportList{} },
		columns:    printers.NodePluginReports,
		selectable: func(*extant.NodePluginReport) fields.Set { return fields.Set{} },
		normalise:  func(report *extant.NodePluginReport) { slices.SortStableFunc(report.Spec.Plugins, comparePlugins) },
		sameSpec: func(updated, old *extant.NodePluginReport) bool {
			return equality.Semantic.DeepEqual(updated.Spec, old.Spec)
		},
		validate:       validation.ValidateNodePluginReport,
		validateUpdate: validation.ValidateNodePluginReportUpdate,
	}
	if callersAreKnown {
		reports.admit = func(ctx context.Context, _ *registry.Store, report, _ *extant.NodePluginReport) error {
			return admitAgent(ctx, report.Name)
		}
	}
	return reports
}

// comparePlugins orders plugins by type, name and path: several apply theirs,
// and a list that was merged has them in an order that means nothing.
func comparePlugins(x, y extant.NodePlugin) int {
	return cmp.Or(strings.Compare(string(x.Type), string(y.Type)), strings.Compare(x.Name, y.Name), strings.Compare(x.Path, y.Path))
}

// admitAgent refuses whoever is not the agent on that node. The API server
// that issued the agent's token wrote into it the node of the pod that it is
// bound to; whoever has taken over a node can so write the report of that node
// and of no other. Extant itself, which calls by its own loopback, reports
// what the API knows of nodes without an agent.
func admitAgent(ctx context.Context, name string) error {
	caller, ok := request.UserFrom(ctx)
	if !ok {
		return apierrors.NewInternalError(fmt.Errorf("the request has no user"))
	}
	if caller.GetName() == user.APIServerUser {
		return nil
	}
	nodes := caller.GetExtra()[serviceaccount.NodeNameKey]
	switch {
	case len(nodes) == 0:
		return apierrors.NewForbidden(extant.Resource("nodepluginreports"), name,
			fmt.Errorf("user %q has no claim %s: only the agent that runs on a node may write the node's report", caller.GetName(), serviceaccount.NodeNameKey))
	case len(nodes) != 1 || nodes[0] != name:
		return apierrors.NewForbidden(extant.Resource("nodepluginreports"), name,
			fmt.Errorf("user %q runs on node %q, and may write the report of that node only", caller.GetName(), nodes[0]))
	}
	return nil
}
