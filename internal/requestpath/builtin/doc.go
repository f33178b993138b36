// Package builtin knows what an API server makes of objects of Kubernetes' own
// kinds before hooks see them: decoding adds defaults and converts, in-tree
// admission plugins and the registry add and change more. That code is in
// k8s.io/kubernetes, which cannot be imported, so it is known as data: a table
// that a program wrote by trying (decoding.txt), and a list that people wrote
// by reading (server.yaml). Both are of the newest version of Kubernetes. The
// package says which fields may be other than they were sent, and which come
// for sure; it knows no cluster and no custom resources.
package builtin
