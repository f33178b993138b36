package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

// wire makes requests to kube-apiserver and tells what came of them.
type wire struct {
	// recorder serves the hooks; those of dying are down now and again.
	recorder, dying *recorder
	audit           *auditReader
	clients         map[string]*http.Client
	admin           *http.Client
	// failClosed tells of the hooks that are down, by path, what a failure means.
	failClosed map[string]bool
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{recorder: newRecorder(t), dying: newRecorder(t), audit: newAuditReader(t), clients: map[string]*http.Client{}, failClosed: map[string]bool{}}
	for _, user := range random.Users() {
		w.clients[user.Username] = httpClient(t, newUser(t, user.Username, user.Groups...).Config)
	}
	w.admin = httpClient(t, env.plane.Admin.Config)
	return w
}

func httpClient(t *testing.T, config *rest.Config) *http.Client {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// response is what kube-apiserver answered.
type response struct {
	code     int
	auditID  string
	warnings []string
	body     []byte
}

func (w *wire) do(ctx context.Context, client *http.Client, method, path, contentType string, body []byte) (*response, error) {
	request, err := http.NewRequestWithContext(ctx, method, env.plane.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	r := &response{code: answer.StatusCode, auditID: answer.Header.Get("Audit-Id")}
	warnings, _ := utilnet.ParseWarningHeaders(answer.Header["Warning"])
	for _, warning := range warnings {
		r.warnings = append(r.warnings, warning.Text)
	}
	r.body, err = io.ReadAll(answer.Body)
	return r, err
}

// stored reads an object as the administrator.
func (w *wire) stored(t *testing.T) random.Stored {
	return func(path string) map[string]any {
		t.Helper()
		r, err := w.do(t.Context(), w.admin, http.MethodGet, path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.code != http.StatusOK {
			return nil
		}
		var object map[string]any
		if err := json.Unmarshal(r.body, &object); err != nil {
			t.Fatal(err)
		}
		return object
	}
}

// send makes a request and tells what came of it.
func (w *wire) send(t *testing.T, request *random.Request) *truth.Answer {
	t.Helper()
	w.recorder.take()
	w.dying.takeAll()
	r, err := w.do(t.Context(), w.clients[request.User.Username], request.Method, request.Path, request.ContentType, request.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.Path, err)
	}
	answer := &truth.Answer{Code: r.code, Warnings: r.warnings, Verdict: truth.Verdict(extant.VerdictAllowed)}
	var status metav1.Status
	if r.code >= 400 {
		if err := json.Unmarshal(r.body, &status); err != nil {
			status.Message = string(r.body)
		}
		answer.Reason, answer.Message = string(status.Reason), status.Message
		classify(answer, request.Review.Operation)
	}
	called := w.recorder.take()
	answered, hungUp := w.dying.takeAll()
	w.calls(answer, request.User.Username, append(called, answered...), hungUp)
	w.policies(t, answer, r)
	return answer
}

var (
	validatingDenial = regexp.MustCompile(`(?s)ValidatingAdmissionPolicy '([^']*)'(?: with binding '([^']*)')? denied request: (.*)$`)
	mutatingDenial   = regexp.MustCompile(`(?s)policy '([^']*)'(?: with binding '([^']*)')? denied request: (.*)$`)
	policyWarning    = regexp.MustCompile(`(?s)^Validation failed for ValidatingAdmissionPolicy '([^']*)' with binding '([^']*)': (.*)$`)
	unavailable      = regexp.MustCompile(`failed calling webhook "([^"]*)"`)
	conditionError   = regexp.MustCompile(`^[^ ]+( "[^"]*")? is forbidden: .*(resulted in error|no such key|compilation|cost)`)
	unauthorized     = regexp.MustCompile(`is forbidden: User "[^"]*" cannot `)
)

// classify tells an error of admission from others by its message.
func classify(answer *truth.Answer, operation extant.RequestOperation) {
	finding := func(match []string) []truth.Finding {
		return []truth.Finding{{Policy: match[1], Binding: match[2], Message: match[3]}}
	}
	denied := func(cause truth.Cause) {
		answer.Verdict, answer.Cause = truth.Verdict(extant.VerdictDenied), cause
	}
	message := answer.Message
	if match := validatingDenial.FindStringSubmatch(message); match != nil {
		denied(truth.CauseValidatingPolicy)
		answer.Policies.Denied = finding(match)
	} else if match := mutatingDenial.FindStringSubmatch(message); match != nil {
		denied(truth.CauseMutatingPolicy)
		answer.Policies.Denied = finding(match)
	} else if unavailable.MatchString(message) {
		answer.Verdict, answer.Cause = truth.Verdict(extant.VerdictBlocked), truth.CauseWebhookUnavailable
	} else if unauthorized.MatchString(message) {
		denied(truth.CauseAuthorization)
	} else if strings.Contains(message, "violates PodSecurity") {
		denied(truth.CausePodSecurity)
	} else if answer.Code == http.StatusForbidden && conditionError.MatchString(message) {
		denied(truth.CauseMatchConditionError)
	} else if operation == extant.OperationConnect && answer.Code != http.StatusForbidden {
		// Nothing is there to connect to, which is found out after admission.
		answer.Verdict = truth.Verdict(extant.VerdictAllowed)
	} else {
		answer.Verdict = truth.Other
	}
}

// calls fills in the calls of the user's request.
func (w *wire) calls(answer *truth.Answer, username string, called, hungUp []recordedCall) {
	failing := unavailable.FindStringSubmatch(answer.Message)
	add := func(recorded recordedCall, failed bool) {
		if recorded.Request.UserInfo.Username != username {
			return
		}
		parts := strings.Split(recorded.Hook, "/")
		call := truth.Call{Configuration: parts[1], Hook: parts[2], SentAs: &truth.SentAs{SentResource: extant.SentResource{
			Group: recorded.Request.Resource.Group, Version: recorded.Request.Resource.Version, Resource: recorded.Request.Resource.Resource,
		}}}
		if failed {
			call.Failed = "open"
			if w.failClosed[recorded.Hook] {
				call.Failed = "closed"
			}
		}
		calls := &answer.Validating
		if parts[0] == "mutating" {
			calls = &answer.Mutating
		}
		call.Repeat = slices.ContainsFunc(*calls, func(c truth.Call) bool { return c.Configuration == call.Configuration && c.Hook == call.Hook })
		*calls = append(*calls, call)
		if failed && call.Failed == "closed" && failing != nil && failing[1] == call.Hook {
			answer.BlockedBy = append(answer.BlockedBy, extant.HookReference{Configuration: call.Configuration, Hook: call.Hook})
		}
	}
	slices.SortStableFunc(called, func(x, y recordedCall) int { return x.At.Compare(y.At) })
	for _, call := range called {
		add(call, false)
	}
	for _, call := range hungUp {
		add(call, true)
	}
}

// policies fills in what policies did, as far as it can be seen.
func (w *wire) policies(t *testing.T, answer *truth.Answer, r *response) {
	t.Helper()
	for _, warning := range r.warnings {
		if match := policyWarning.FindStringSubmatch(warning); match != nil {
			answer.Policies.Warned = append(answer.Policies.Warned, truth.Finding{Policy: match[1], Binding: match[2], Message: match[3]})
		}
	}
	for key, value := range w.audit.event(t, r.auditID).Annotations {
		if policy, seen := strings.CutSuffix(key, "/"+random.SeenKey); seen {
			answer.Policies.Evaluated = append(answer.Policies.Evaluated, policy)
		}
		if key == "validation.policy.admission.k8s.io/validation_failure" {
			var failures []struct {
				Message, Policy, Binding string
				ValidationActions        []string
			}
			if err := json.Unmarshal([]byte(value), &failures); err != nil {
				t.Fatalf("could not read the audit annotation %q: %v", value, err)
			}
			for _, failure := range failures {
				answer.Policies.Audited = append(answer.Policies.Audited, truth.Finding{Policy: failure.Policy, Binding: failure.Binding, Message: failure.Message})
			}
		}
	}
	answer.Policies.Mutated = marks(r.body)
}

// marks are the mutating policies whose mark an object has.
func marks(text []byte) []string {
	var object unstructured.Unstructured
	if json.Unmarshal(text, &object.Object) != nil {
		return nil
	}
	var policies []string
	for key := range object.GetAnnotations() {
		if policy, marked := strings.CutPrefix(key, random.MarkPrefix); marked {
			policies = append(policies, policy)
		}
	}
	slices.Sort(policies)
	return policies
}

// describe prints a request for whoever looks into a disagreement.
func describe(request *random.Request) string {
	path, _ := url.PathUnescape(request.Path)
	return fmt.Sprintf("%s %s %s by %s\n  body: %s\n  object: %s\n  oldObject: %s\n  options: %s", request.Method, path, request.ContentType, request.User.Username,
		request.Body, request.Review.Object.Raw, request.Review.OldObject.Raw, request.Review.Options.Raw)
}
