package review

import (
	"context"
	"errors"
	"maps"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// userOf returns whose request is reviewed, or nil where nobody knows: the one
// that the review names, if the caller may, or else the caller.
func (c *Config) userOf(ctx context.Context, named *authenticationv1.UserInfo) (*authenticationv1.UserInfo, error) {
	if named != nil {
		if err := c.mayName(ctx, named); err != nil {
			return nil, err
		}
		return complete(named), nil
	}
	caller, ok := request.UserFrom(ctx)
	if !ok || !c.CallersAreKnown {
		return nil, nil
	}
	return infoOf(caller), nil
}

// mayName refuses what would need the right to impersonate, as the API server's
// own impersonation does. The plain verb is asked for: what a review shows of a
// user is as much as impersonation would.
func (c *Config) mayName(ctx context.Context, named *authenticationv1.UserInfo) error {
	if c.Authorizer == nil {
		return nil
	}
	caller, ok := request.UserFrom(ctx)
	if !ok {
		return apierrors.NewInternalError(errors.New("the request has no user"))
	}
	// Who names exactly himself learns what the review without a user says.
	if same(infoOf(caller), named) {
		return nil
	}
	for _, asked := range impersonations(named) {
		asked.User, asked.Verb, asked.ResourceRequest = caller, "impersonate", true
		decision, reason, err := c.Authorizer.Authorize(ctx, asked)
		if err == nil && decision == authorizer.DecisionAllow {
			continue
		}
		if reason == "" && err != nil {
			reason = "it could not be checked"
		}
		return responsewriters.ForbiddenStatusError(asked, reason)
	}
	return nil
}

// impersonations is what must be allowed to somebody who stands for a user.
func impersonations(named *authenticationv1.UserInfo) []authorizer.AttributesRecord {
	var all []authorizer.AttributesRecord
	if namespace, name, err := serviceaccount.SplitUsername(named.Username); err == nil {
		all = append(all, authorizer.AttributesRecord{Resource: "serviceaccounts", Namespace: namespace, Name: name})
	} else {
		all = append(all, authorizer.AttributesRecord{Resource: "users", Name: named.Username})
	}
	for _, group := range named.Groups {
		all = append(all, authorizer.AttributesRecord{Resource: "groups", Name: group})
	}
	authentication := authorizer.AttributesRecord{APIGroup: authenticationv1.GroupName, APIVersion: authenticationv1.SchemeGroupVersion.Version}
	if named.UID != "" {
		uid := authentication
		uid.Resource, uid.Name = "uids", named.UID
		all = append(all, uid)
	}
	for _, key := range slices.Sorted(maps.Keys(named.Extra)) {
		for _, value := range named.Extra[key] {
			extra := authentication
			extra.Resource, extra.Subresource, extra.Name = "userextras", key, value
			all = append(all, extra)
		}
	}
	return all
}

// complete adds the groups that the API server gives to everybody, as its
// impersonation does: no request ever comes without them.
func complete(named *authenticationv1.UserInfo) *authenticationv1.UserInfo {
	completed := named.DeepCopy()
	if namespace, _, err := serviceaccount.SplitUsername(named.Username); err == nil && len(named.Groups) == 0 {
		completed.Groups = serviceaccount.MakeGroupNames(namespace)
	}
	if slices.Contains(completed.Groups, user.AllAuthenticated) || slices.Contains(completed.Groups, user.AllUnauthenticated) {
		return completed
	}
	if named.Username == user.Anonymous {
		completed.Groups = append(completed.Groups, user.AllUnauthenticated)
	} else {
		completed.Groups = append(completed.Groups, user.AllAuthenticated)
	}
	return completed
}

// infoOf is a user as reviews name one.
func infoOf(u user.Info) *authenticationv1.UserInfo {
	info := &authenticationv1.UserInfo{Username: u.GetName(), UID: u.GetUID(), Groups: slices.Clone(u.GetGroups())}
	for key, values := range u.GetExtra() {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[key] = slices.Clone(values)
	}
	return info
}

// same tells whether two users are one in every respect, whatever the order of
// groups.
func same(x, y *authenticationv1.UserInfo) bool {
	return x.Username == y.Username && x.UID == y.UID &&
		slices.Equal(slices.Sorted(slices.Values(x.Groups)), slices.Sorted(slices.Values(y.Groups))) &&
		maps.EqualFunc(x.Extra, y.Extra, slices.Equal)
}
