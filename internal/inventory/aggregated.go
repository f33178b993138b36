package inventory

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Aggregated APIs. An APIService with a Service is a hook: the API server hands
// every request for its group and version on. A local APIService, which stands
// for the API server's own groups and for CRDs, occupies nothing.
//
// Extant's own APIService makes the extension `extant`, whatever release it
// was installed with: it is to be found under that name in every cluster.

var aggregatedAPI = mechanism{
	point:     "aggregated-api",
	pattern:   extant.PatternAPI,
	onFailure: extant.OnFailureBlocks,
	reads:     []schema.GroupResource{apiServices},
	register:  registerAPIServices,
}

// ownName is the name of the extension that Extant itself is.
const ownName = "extant"

func registerAPIServices(t *taker, point string) {
	for service := range t.snapshot.APIServices().All() {
		to := service.Spec.Service
		if to == nil {
			continue
		}
		i := t.add(apiServices, service)
		p := &t.parts[i]
		domain := ownerDomain(service.Spec.Group)
		p.fallback = key{rank: rankDomain, value: domain}
		p.domains = []string{domain}
		if service.Spec.Group == extant.SchemeGroupVersion.Group && p.wall == "" {
			p.wall = ownName
			p.keys = append([]key{{rank: rankDeclared, value: ownName}}, p.keys...)
		}
		t.addHook(Hook{
			Point: point, Resource: apiServices.Resource, Object: service.Name, Name: AggregationHook, part: i,
			APIService: service,
		}, serviceTarget{serviceName: serviceName{to.Namespace, to.Name}, port: valueOr(to.Port, 443)})
		t.addRegistration(point, i, 1)
	}
}
