// Package requestpath says what a request to the observed cluster's API server
// passes through, and what comes of it: authorization, aggregation, admission
// policies and webhooks, pod security and conversion, in the API server's own
// order. The matching, the CEL and the policies are evaluated by the packages
// of k8s.io/apiserver itself; this package gives them the request as the API
// server would see it, and settles what cannot be known: an unknown part of an
// object is a CEL unknown, and where a decision hangs on one, the upstream code
// is asked in each possible world. It calls no webhook, reads nothing but what
// it is given, and keeps nothing but what it compiled of configurations. It
// stands on internal/cluster and internal/inventory.
package requestpath
