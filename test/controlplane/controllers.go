package controlplane

import (
	"path/filepath"
	"strings"
)

// withoutPods are the controllers that a cluster in which no pod runs needs.
var withoutPods = []string{
	"namespace-controller", "garbage-collector-controller", "serviceaccount-controller", "resourcequota-controller", "clusterrole-aggregation-controller",
}

func (c *ControlPlane) startControllerManager(pods bool) error {
	user, err := c.NewUser("system:kube-controller-manager")
	if err != nil {
		return err
	}
	controllers := strings.Join(withoutPods, ",")
	if pods {
		controllers = "*"
	}
	c.ControllerManager = &Process{
		Name: "kube-controller-manager", Path: c.Program("kube-controller-manager"), Dir: c.dir,
		Args: []string{
			"--kubeconfig=" + user.Kubeconfig,
			"--leader-elect=false",
			"--secure-port=0",
			"--use-service-account-credentials=true",
			"--service-account-private-key-file=" + filepath.Join(c.dir, "service-account.key"),
			"--root-ca-file=" + filepath.Join(c.dir, "serving-ca.crt"),
			"--controllers=" + controllers,
		},
	}
	return c.ControllerManager.Start()
}

func (c *ControlPlane) startScheduler() error {
	user, err := c.NewUser("system:kube-scheduler")
	if err != nil {
		return err
	}
	c.Scheduler = &Process{
		Name: "kube-scheduler", Path: c.Program("kube-scheduler"), Dir: c.dir,
		Args: []string{
			"--kubeconfig=" + user.Kubeconfig,
			"--authentication-kubeconfig=" + user.Kubeconfig,
			"--authorization-kubeconfig=" + user.Kubeconfig,
			"--leader-elect=false",
			"--secure-port=0",
		},
	}
	return c.Scheduler.Start()
}
