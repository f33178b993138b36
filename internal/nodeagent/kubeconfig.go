package nodeagent

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"
)

// fromKubeconfig is the API server of a kubeconfig's current context. Of the
// ways to be somebody it knows tokens and certificates.
func fromKubeconfig(file string) (*API, error) {
	cluster, user, err := currentContext(file)
	if err != nil {
		return nil, fmt.Errorf("could not read kubeconfig %q: %w", file, err)
	}
	return &API{Server: cluster.Server, Credentials: func() (Credentials, error) {
		var c Credentials
		for _, part := range []struct {
			into *[]byte
			data []byte
			file string
		}{
			{&c.Authority, cluster.CertificateAuthorityData, cluster.CertificateAuthority},
			{&c.Certificate, user.ClientCertificateData, user.ClientCertificate},
			{&c.Key, user.ClientKeyData, user.ClientKey},
		} {
			if *part.into = part.data; len(part.data) > 0 || part.file == "" {
				continue
			}
			if *part.into, err = os.ReadFile(beside(file, part.file)); err != nil {
				return Credentials{}, err
			}
		}
		c.Token = user.Token
		if user.TokenFile != "" {
			token, err := os.ReadFile(beside(file, user.TokenFile))
			if err != nil {
				return Credentials{}, err
			}
			c.Token = string(token)
		}
		return c, nil
	}}, nil
}

func currentContext(file string) (cluster clientcmdv1.Cluster, user clientcmdv1.AuthInfo, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return cluster, user, err
	}
	var config clientcmdv1.Config
	if err := yaml.Unmarshal(data, &config); err != nil {
		return cluster, user, err
	}
	var names clientcmdv1.Context
	for _, c := range config.Contexts {
		if c.Name == config.CurrentContext {
			names = c.Context
		}
	}
	for _, c := range config.Clusters {
		if c.Name == names.Cluster {
			cluster = c.Cluster
		}
	}
	for _, u := range config.AuthInfos {
		if u.Name == names.AuthInfo {
			user = u.AuthInfo
		}
	}
	if cluster.Server == "" {
		return cluster, user, fmt.Errorf("its current context %q leads to no server", cmp.Or(config.CurrentContext, "(none)"))
	}
	return cluster, user, nil
}

// beside makes a path in a file one that is relative to it.
func beside(file, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}
