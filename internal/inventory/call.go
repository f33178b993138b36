package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// target is what a hook calls: a serviceTarget or a urlTarget.
type target any

type serviceName struct{ namespace, name string }

type serviceTarget struct {
	serviceName
	port int32
	path string
}

type urlTarget string

// call is a backend with the hooks that call it.
type call struct {
	name    string
	service *extant.ServiceReference
	url     string
	// hooks are indices of taker.hooks.
	hooks []int
}

// callee is a Service that hooks call.
type callee struct {
	// service is nil where there is no such Service.
	service *corev1.Service
	// workloads are the workloads behind it, by its selector or, where it finds
	// none, by its endpoints.
	workloads []workload
	// parts are the parts of the Service and of the workloads.
	parts []int32
}

// call notes that the next hook calls a target, and returns the name of the
// backend. Those of URLs are completed by nameURLs.
func (t *taker) call(hook *Hook, to target) string {
	var made call
	var identity string
	switch to := to.(type) {
	case serviceTarget:
		made.name = nameOf(to.name + "." + to.namespace + "." + strconv.Itoa(int(to.port)))
		identity = made.name
		made.service = &extant.ServiceReference{Namespace: to.namespace, Name: to.name, Port: to.port}
		hook.Path = to.path
		t.addCallee(hook.part, to.serviceName)
	case urlTarget:
		var ok bool
		if made.name, made.url, hook.Path, ok = parseURL(string(to)); !ok {
			return ""
		}
		identity = "url " + made.name
	default:
		return ""
	}
	c, ok := t.calls[identity]
	if !ok {
		c = &made
		t.calls[identity] = c
	}
	c.hooks = append(c.hooks, len(t.hooks))
	return made.name
}

// nameURLs gives another name to backends by URL whose name a Service backend
// has.
func (t *taker) nameURLs() {
	for _, c := range t.calls {
		if _, taken := t.calls[c.name]; c.service != nil || !taken {
			continue
		}
		c.name = nameOf(c.name + ".url")
		for _, i := range c.hooks {
			t.hooks[i].Backend = c.name
		}
	}
}

// parseURL returns the name of the backend at a URL, the URL up to the port,
// and the path.
func parseURL(raw string) (name, address, path string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return "", "", "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	address = strings.ToLower(u.Scheme) + "://" + host + ":" + port
	label := host
	if strings.Contains(host, ":") {
		address = strings.ToLower(u.Scheme) + "://[" + host + "]:" + port
		// An address that begins or ends with colons is not a valid name;
		// the zero that they stand for makes it one.
		if strings.HasPrefix(label, ":") {
			label = "0" + label
		}
		if strings.HasSuffix(label, ":") {
			label += "0"
		}
		label = strings.ReplaceAll(label, ":", "-")
	}
	return nameOf(label + "." + port), address, u.EscapedPath(), true
}

// addCallee notes that a part's hook calls a Service.
func (t *taker) addCallee(i int32, name serviceName) {
	if p := &t.parts[i]; !slices.Contains(p.calls, name.namespace) {
		p.calls = append(p.calls, name.namespace)
		slices.Sort(p.calls)
	}
	c, ok := t.callees[name]
	if !ok {
		c = t.newCallee(name)
		t.callees[name] = c
	}
	if len(c.workloads) > 0 {
		t.parts[i].answered = true
	}
	for _, part := range c.parts {
		t.union(i, part)
	}
}

func (t *taker) newCallee(name serviceName) *callee {
	c := &callee{}
	service, ok := t.snapshot.Services().Get(name.namespace, name.name)
	if !ok {
		return c
	}
	c.service = service
	c.parts = []int32{t.add(services, service)}
	c.workloads = t.selected(service)
	if len(c.workloads) == 0 {
		c.workloads = t.endpointOwners(service)
	}
	for _, w := range c.workloads {
		c.parts = append(c.parts, t.addWorkload(w.resource, w.object))
	}
	return c
}

const maxName = 253

// nameOf turns any text into a DNS subdomain: lower case, what is not allowed
// replaced by "-", every label beginning and ending with a letter or digit. It
// returns an empty string where nothing is left. What is too long ends in a
// hash of the whole.
func nameOf(text string) string {
	if isName(text) {
		return text
	}
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		default:
			return '-'
		}
	}, text)
	var labels []string
	for _, label := range strings.Split(mapped, ".") {
		if label = strings.Trim(label, "-"); label != "" {
			labels = append(labels, label)
		}
	}
	name := strings.Join(labels, ".")
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:5])
	return strings.TrimRight(name[:maxName-len(hash)-1], ".-") + "-" + hash
}

// isName tells whether a text is a DNS subdomain as it stands.
func isName(text string) bool {
	if text == "" || len(text) > maxName {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			continue
		}
		edge := i == 0 || i == len(text)-1 || text[i-1] == '.' || text[i+1] == '.'
		if edge || (c != '-' && c != '.') {
			return false
		}
	}
	return true
}
