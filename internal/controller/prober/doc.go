// Package prober calls backends as the API server would, and writes what came
// of it into their status: it connects to each ready endpoint, shakes hands, and
// judges the certificate by the caBundle of every hook that calls. It sends no
// request, asks only addresses that the observed cluster has registered, and
// none on loopback or a link unless it may. What a snapshot tells without a call
// is decided by internal/inventory; where nothing may be called, that is what is
// written.
package prober
