// Package pki issues the certificates by which Extant's own parts know each
// other: those of its etcd members and their client, kept in named Secrets, and
// those of a standalone server, kept in files. It makes what is missing, renews
// what is in the last third of its life and leaves everything else alone, so
// that it can be run again at any time. It does not rotate what a running
// server presents (internal/controller/servingcert does); it stands on
// crypto/x509 and, for Secrets, on client-go.
package pki
