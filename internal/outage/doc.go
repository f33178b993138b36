// Package outage says what is refused when things of the observed cluster are
// lost, and whether the cluster gets them back without a human. What recovers
// is the least fixed point of rules of the form "this comes back if these
// requests are allowed and these things are up"; the requests are those that
// the cluster's own components make, with the objects that they send, and
// internal/requestpath says what comes of each. It simulates no time beyond the
// race against leases, changes nothing, and reads nothing but what it is given;
// what the snapshot does not decide is Unknown, and never counts as recovered.
package outage
