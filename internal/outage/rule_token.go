package outage

import (
	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// token: before a container starts, the kubelet fetches the tokens that the
// pod mounts by serviceaccounts/token. A pod mounts one unless the pod or its
// service account says otherwise. A container that restarts in place goes on
// with the token that is mounted; after a restart of the node it is fetched
// anew.
func (a *analysis) token(w *workload) []requirement {
	if a.loss.Mode == extant.ModeRestarted && !a.loss.restarted && len(a.loss.Nodes) == 0 {
		return nil
	}
	if !a.mountsToken(w) {
		return nil
	}
	return []requirement{{because: say("the kubelet must fetch the token of %s for the pods of %s", accountOf, it), passage: a.passOf(w, a.fetched)}}
}

// fetched is the request for the token that the pods of a workload mount.
func (a *analysis) fetched(w *workload) *operation {
	o := a.tokenFor(w.Namespace, accountOf(w), a.kubeletOf(w))
	o.of = w
	build := o.build
	o.build = func(o *operation) {
		build(o)
		o.object["spec"].(map[string]any)["boundObjectRef"] = map[string]any{"apiVersion": "v1", "kind": "Pod", "name": a.podName(w, 0), "uid": ""}
	}
	return o
}

// tokenFor is the request for a token of a service account.
func (a *analysis) tokenFor(namespace, account string, by *authenticationv1.UserInfo) *operation {
	return &operation{
		verb: extant.OperationCreate, version: "v1", resource: "serviceaccounts", subresource: "token", namespace: namespace, name: account, by: by,
		build: func(o *operation) {
			o.object = map[string]any{
				"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": map[string]any{"name": account, "namespace": namespace},
				"spec": map[string]any{"audiences": []any{}, "expirationSeconds": int64(3607)},
			}
		},
	}
}

// mountsToken tells whether the pods of a workload mount a token.
func (a *analysis) mountsToken(w *workload) bool {
	if w.template == nil {
		return len(w.pods) == 0 || w.pods[0].MountsToken
	}
	for i := range w.template.Spec.Volumes {
		if projected := w.template.Spec.Volumes[i].Projected; projected != nil {
			for j := range projected.Sources {
				if projected.Sources[j].ServiceAccountToken != nil {
					return true
				}
			}
		}
	}
	if mounts := w.template.Spec.AutomountServiceAccountToken; mounts != nil {
		return *mounts
	}
	if account, ok := a.snapshot().ServiceAccounts().Get(w.Namespace, accountOf(w)); ok {
		return valueOr(account.AutomountServiceAccountToken, true)
	}
	return true
}
