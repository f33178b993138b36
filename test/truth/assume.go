package truth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/extant-project/extant/pkg/apis/extant"
)

const (
	// startupRequires names a request that must succeed before a pod starts:
	// GET and a path.
	startupRequires = "truth.extant.dev/startup-requires"
	// startupSeconds is how long a pod takes to start.
	startupSeconds = "truth.extant.dev/startup-seconds"
)

// resourceOf is the resources of workloads.
var resourceOf = map[string]string{"Deployment": "deployments", "DaemonSet": "daemonsets", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"}

// assumptions returns what a review must assume of an outage because no object
// shows it, though it was so: what the recording assumes itself, what the
// annotations of workloads told their kubelets, and whether the API server had
// a watch cache. It had one, unless it was restarted, which it is with
// everything, or something was written since (touched).
func assumptions(truth map[string]any, spec *extant.OutageReviewSpec, objects []map[string]any) (extant.OutageAssumptions, error) {
	assume := extant.OutageAssumptions{WatchCache: extant.WatchCacheWarm}
	if spec.Down.Everything || truth["touched"] != nil {
		assume.WatchCache = extant.WatchCacheCold
	}
	if seconds, recorded := truth["startupSeconds"].(float64); recorded {
		took := int32(seconds)
		assume.StartupSeconds = &took
	}
	if err := recordedAssumptions(truth["assume"], &assume); err != nil {
		return assume, err
	}
	for _, object := range objects {
		workload := unstructured.Unstructured{Object: object}
		resource, known := resourceOf[workload.GetKind()]
		if !known || len(workload.GetOwnerReferences()) > 0 {
			continue
		}
		reference := extant.ObjectReference{Group: "apps", Resource: resource, Namespace: workload.GetNamespace(), Name: workload.GetName()}
		annotations, _, err := unstructured.NestedStringMap(object, "spec", "template", "metadata", "annotations")
		if err != nil {
			return assume, err
		}
		if required, set := annotations[startupRequires]; set {
			need, err := needOf(required, objects)
			if err != nil {
				return assume, err
			}
			need.Workload = reference
			assume.Needs = append(assume.Needs, need)
		}
		if text, set := annotations[startupSeconds]; set {
			seconds, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return assume, err
			}
			took := int32(seconds)
			assume.StartupSeconds = &took
		}
	}
	return assume, nil
}

// rights returns what lets workloads do what Spec.Assume says they need. Who
// asked for it was not recorded: the simulated kubelets did, in their place.
func (s *Outage) rights() ([]json.RawMessage, error) {
	var rights []json.RawMessage
	for _, need := range s.Spec.Assume.Needs {
		workload := &need.Workload
		text, err := json.Marshal(&rbacv1.ClusterRoleBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: workload.Namespace + "-" + workload.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:" + workload.Namespace}},
		})
		if err != nil {
			return nil, err
		}
		rights = append(rights, text)
	}
	return rights, nil
}

// recordedAssumptions adds those that a recording states. Its workloads are
// written namespace/Kind/name, its capabilities in lower camel case.
func recordedAssumptions(recorded any, assume *extant.OutageAssumptions) error {
	text, err := json.Marshal(recorded)
	if err != nil {
		return err
	}
	var all []struct {
		Workload, Provides string
		Needs              []extant.Operation
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for _, one := range all {
		parts := strings.Split(one.Workload, "/")
		if len(parts) != 3 || resourceOf[parts[1]] == "" {
			return fmt.Errorf("%q is not a workload", one.Workload)
		}
		workload := extant.ObjectReference{Group: "apps", Resource: resourceOf[parts[1]], Namespace: parts[0], Name: parts[2]}
		if one.Provides != "" {
			capability := strings.ToUpper(one.Provides[:1]) + one.Provides[1:]
			assume.Provides = append(assume.Provides, extant.Provision{Workload: &workload, Capability: capability})
		}
		if len(one.Needs) > 0 {
			assume.Needs = append(assume.Needs, extant.Need{Workload: workload, Operations: one.Needs})
		}
	}
	return nil
}

// needOf translates a request that must succeed: with the path of an object to
// the GET of it, of a resource to the LIST, and of an aggregated API to a call
// of its backend.
func needOf(required string, objects []map[string]any) (extant.Need, error) {
	path, isGet := strings.CutPrefix(required, "GET /apis/")
	parts := strings.Split(path, "/")
	if !isGet || len(parts) < 2 {
		return extant.Need{}, fmt.Errorf("%q is not a request to an API group", required)
	}
	group, version, rest := parts[0], parts[1], parts[2:]
	if len(rest) == 0 {
		backend, err := backendOf(version+"."+group, objects)
		return extant.Need{Backends: []string{backend}}, err
	}
	operation := extant.Operation{Operation: string(extant.OperationList), Group: group, Version: version}
	if rest[0] == "namespaces" && len(rest) > 2 {
		operation.Namespace, rest = rest[1], rest[2:]
	}
	operation.Resource = rest[0]
	if len(rest) > 1 {
		operation.Operation = string(extant.OperationGet)
	}
	return extant.Need{Operations: []extant.Operation{operation}}, nil
}

// backendOf returns the name of the backend of an APIService.
func backendOf(apiService string, objects []map[string]any) (string, error) {
	for _, object := range objects {
		registered := unstructured.Unstructured{Object: object}
		if registered.GetKind() != "APIService" || registered.GetName() != apiService {
			continue
		}
		service, _, err := unstructured.NestedMap(object, "spec", "service")
		return fmt.Sprintf("%v.%v.%v", service["name"], service["namespace"], service["port"]), err
	}
	return "", fmt.Errorf("there is no APIService %q", apiService)
}
