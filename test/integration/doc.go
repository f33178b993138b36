// Package integration tests Extant as it is installed: behind the aggregator of
// a real kube-apiserver, with delegated authentication and authorization and an
// etcd of its own, driven by kubectl and the generated clientset. One test has
// nodes as well, with kubelets and a network that are simulated: it predicts
// outages, lets them happen, and compares.
package integration
