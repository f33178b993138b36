// Package servingcert issues and rotates the certificate with which Extant
// answers kube-aggregator, and keeps the APIService's caBundle right, without a
// moment in which the two disagree. It keeps its state in one Secret that all
// replicas share, needs no leader (each write is refused by the API server when
// another replica was faster), and hands the certificate to the running server.
// A certificate that an operator brings is not its business: with
// --tls-cert-file it does not run. It stands on internal/pki.
package servingcert
