package review

import (
	"context"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// rights allow what they name: a verb, a resource in its group with what is
// behind it, and a namespace and name.
type rights []string

func (r rights) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	resource := a.GetResource()
	if a.GetSubresource() != "" {
		resource += "/" + a.GetSubresource()
	}
	if a.GetAPIGroup() != "" {
		resource += "." + a.GetAPIGroup()
	}
	words := []string{a.GetVerb(), resource, strings.TrimPrefix(a.GetNamespace()+"/"+a.GetName(), "/")}
	if slices.Contains(r, strings.Join(words, " ")) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

func as(u user.Info) context.Context { return request.WithUser(context.Background(), u) }

var carol = &user.DefaultInfo{Name: "carol", UID: "7", Groups: []string{"dev", "system:authenticated"}, Extra: map[string][]string{"scopes": {"a"}}}

func TestNamingAUserNeedsTheRightToImpersonate(t *testing.T) {
	const plain = " in API group \"\""
	for _, test := range []struct {
		name   string
		named  authenticationv1.UserInfo
		rights rights
		want   string
	}{
		{"a user", authenticationv1.UserInfo{Username: "bob"}, rights{"impersonate users bob"}, ""},
		{"a user without the right", authenticationv1.UserInfo{Username: "bob"}, rights{"impersonate users alice"},
			`users "bob" is forbidden: User "carol" cannot impersonate resource "users"` + plain + " at the cluster scope"},
		{"a service account", authenticationv1.UserInfo{Username: "system:serviceaccount:shop:web"}, rights{"impersonate serviceaccounts shop/web"}, ""},
		{"a service account is no user", authenticationv1.UserInfo{Username: "system:serviceaccount:shop:web"}, rights{"impersonate users system:serviceaccount:shop:web"},
			`serviceaccounts "web" is forbidden: User "carol" cannot impersonate resource "serviceaccounts"` + plain + ` in the namespace "shop"`},
		{"every group", authenticationv1.UserInfo{Username: "bob", Groups: []string{"a", "b"}}, rights{"impersonate users bob", "impersonate groups a"},
			`groups "b" is forbidden: User "carol" cannot impersonate resource "groups"` + plain + " at the cluster scope"},
		{"groups that everybody has, where they are named", authenticationv1.UserInfo{Username: "bob", Groups: []string{"system:authenticated"}}, rights{"impersonate users bob"},
			`groups "system:authenticated" is forbidden: User "carol" cannot impersonate resource "groups"` + plain + " at the cluster scope"},
		{"a UID", authenticationv1.UserInfo{Username: "bob", UID: "9"}, rights{"impersonate users bob", "impersonate uids.authentication.k8s.io 9"}, ""},
		{"a UID without the right", authenticationv1.UserInfo{Username: "bob", UID: "9"}, rights{"impersonate users bob", "impersonate uids 9"},
			`uids.authentication.k8s.io "9" is forbidden: User "carol" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope`},
		{"each value of an extra", authenticationv1.UserInfo{Username: "bob", Extra: map[string]authenticationv1.ExtraValue{"scopes": {"a", "b"}}},
			rights{"impersonate users bob", "impersonate userextras/scopes.authentication.k8s.io a"},
			`userextras.authentication.k8s.io "b" is forbidden: User "carol" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope`},
		{"exactly oneself", *infoOf(carol), nil, ""},
		{"oneself in other groups", authenticationv1.UserInfo{Username: "carol", UID: "7", Groups: []string{"system:masters"}}, nil,
			`users "carol" is forbidden: User "carol" cannot impersonate resource "users"` + plain + " at the cluster scope"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := &Config{Authorizer: test.rights, CallersAreKnown: true}
			_, err := config.userOf(as(carol), &test.named)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || err.Error() != test.want):
				t.Errorf("got  %v\nwant %s", err, test.want)
			case test.want != "" && !apierrors.IsForbidden(err):
				t.Errorf("%v is not Forbidden", err)
			}
		})
	}
}

func TestWhoseRequestItIs(t *testing.T) {
	known := Config{Authorizer: rights{}, CallersAreKnown: true}
	standalone := Config{Authorizer: rights{}}
	offline := Config{}
	bob := &authenticationv1.UserInfo{Username: "bob"}
	for _, test := range []struct {
		name   string
		config Config
		ctx    context.Context
		named  *authenticationv1.UserInfo
		want   *authenticationv1.UserInfo
	}{
		{"the caller's", known, as(carol), nil, infoOf(carol)},
		{"nobody's, where the caller is the server's own invention", standalone, as(carol), nil, nil},
		{"nobody's, over files", offline, context.Background(), nil, nil},
		{"the named user's, over files", offline, context.Background(), bob, &authenticationv1.UserInfo{Username: "bob", Groups: []string{"system:authenticated"}}},
		{"a service account's, with its groups", offline, context.Background(), &authenticationv1.UserInfo{Username: "system:serviceaccount:shop:web"},
			&authenticationv1.UserInfo{Username: "system:serviceaccount:shop:web", Groups: []string{"system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"}}},
		{"the anonymous user's", offline, context.Background(), &authenticationv1.UserInfo{Username: "system:anonymous"},
			&authenticationv1.UserInfo{Username: "system:anonymous", Groups: []string{"system:unauthenticated"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.config.userOf(test.ctx, test.named)
			if err != nil {
				t.Fatal(err)
			}
			if (got == nil) != (test.want == nil) || got != nil && !same(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
