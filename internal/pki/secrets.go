package pki

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/clock"
)

// authorityKey is where a Secret keeps the certificate of the authority that
// signed its own.
const authorityKey = "ca.crt"

// Action is what was done with a Secret.
type Action string

// What can be done with a Secret.
const (
	Created Action = "created"
	Renewed Action = "renewed"
	Kept    Action = "kept"
)

// Outcome is the state in which Ensure leaves a Secret.
type Outcome struct {
	Secret   string
	Action   Action
	NotAfter time.Time
}

// Ensure brings the Secrets of an etcd cluster in order: it creates what is
// missing, fills what is empty and renews what is in the last third of its life.
// An authority keeps its key, so that no member has to be told of its renewal.
// When a Secret holds something that Ensure did not put there, it changes nothing
// at all and says which Secret it is.
func Ensure(ctx context.Context, secrets corev1client.SecretInterface, etcd Etcd, clk clock.PassiveClock) ([]Outcome, error) {
	var outcomes []Outcome
	raced := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	err := retry.OnError(retry.DefaultRetry, raced, func() error {
		e := &ensurer{secrets: secrets, etcd: etcd, now: clk.Now()}
		if err := e.plan(ctx); err != nil {
			return err
		}
		if err := e.write(ctx); err != nil {
			return err
		}
		outcomes = e.outcomes()
		return nil
	})
	return outcomes, err
}

// ensurer is one attempt: everything is read and judged before anything is
// written.
type ensurer struct {
	secrets corev1client.SecretInterface
	etcd    Etcd
	now     time.Time
	planned []planned
}

// planned is a Secret as it should be.
type planned struct {
	secret *corev1.Secret
	// missing is true when there is no such Secret yet.
	missing bool
	action  Action
	pair    *KeyPair
}

func (e *ensurer) plan(ctx context.Context) error {
	authority, err := e.planAuthority(ctx)
	if err != nil {
		return err
	}
	for _, wanted := range e.etcd.profiles() {
		if err := e.planCertificate(ctx, wanted, authority); err != nil {
			return err
		}
	}
	return nil
}

func (e *ensurer) planAuthority(ctx context.Context) (planned, error) {
	p, err := e.read(ctx, EtcdAuthoritySecret)
	if err != nil {
		return planned{}, err
	}
	switch pair := p.pair; {
	case pair == nil:
		p.action = Created
		p.pair, err = NewAuthority(EtcdAuthoritySecret, e.now, AuthorityLifetime)
	case !pair.Certificate.IsCA:
		err = e.refusal(EtcdAuthoritySecret, "holds a certificate that is no authority")
	case pair.DueForRenewal(e.now):
		p.action = Renewed
		p.pair, err = RenewAuthority(pair, e.now, AuthorityLifetime)
	}
	if err != nil {
		return planned{}, err
	}
	return p, e.add(p, nil)
}

func (e *ensurer) planCertificate(ctx context.Context, wanted secretProfile, authority planned) error {
	p, err := e.read(ctx, wanted.secret)
	if err != nil {
		return err
	}
	authorityPEM := authority.pair.CertificatePEM()
	switch pair := p.pair; {
	case pair == nil:
		p.action = Created
	case authority.action == Created:
		return e.refusal(wanted.secret, "exists without the authority "+EtcdAuthoritySecret)
	case !pair.SignedBy(authority.pair):
		return e.refusal(wanted.secret, "holds a certificate that the authority "+EtcdAuthoritySecret+" did not sign")
	case pair.DueForRenewal(e.now) || !pair.Says(wanted.profile):
		p.action = Renewed
	case !bytes.Equal(p.secret.Data[authorityKey], authorityPEM):
		p.action = Renewed
		return e.add(p, authorityPEM)
	default:
		e.planned = append(e.planned, p)
		return nil
	}
	if p.pair, err = authority.pair.Issue(wanted.profile, e.now); err != nil {
		return err
	}
	return e.add(p, authorityPEM)
}

// read returns a Secret with the pair in it. A Secret that does not exist comes
// back named and empty; that and an empty one that does exist have no pair. The
// manifests have empty Secrets, because nobody can be allowed to create Secrets
// of certain names only.
func (e *ensurer) read(ctx context.Context, name string) (planned, error) {
	secret, err := e.secrets.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return planned{missing: true, action: Kept, secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: e.etcd.Namespace,
				Name:      name,
				Labels:    map[string]string{"app.kubernetes.io/name": "extant", "app.kubernetes.io/component": "etcd"},
			},
			Type: corev1.SecretTypeTLS,
		}}, nil
	}
	if err != nil {
		return planned{}, fmt.Errorf("could not read secret %s/%s: %w", e.etcd.Namespace, name, err)
	}
	p := planned{secret: secret, action: Kept}
	if len(secret.Data) == 0 {
		return p, nil
	}
	p.pair, err = ParseKeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return planned{}, e.refusal(name, "holds no certificate that can be used: "+err.Error())
	}
	return p, nil
}

// add records what a Secret is to hold.
func (e *ensurer) add(p planned, authorityPEM []byte) error {
	key, err := p.pair.KeyPEM()
	if err != nil {
		return e.refusal(p.secret.Name, "holds a key that is not Extant's: "+err.Error())
	}
	p.secret.Data = map[string][]byte{corev1.TLSCertKey: p.pair.CertificatePEM(), corev1.TLSPrivateKeyKey: key}
	if authorityPEM != nil {
		p.secret.Data[authorityKey] = authorityPEM
	}
	e.planned = append(e.planned, p)
	return nil
}

// refusal is the sentence for a Secret that somebody else filled. Nothing is
// deleted on a guess: the Secret may be a certificate manager's.
func (e *ensurer) refusal(name, why string) error {
	return fmt.Errorf("secret %s/%s %s; nothing was changed: empty the secret to have it issued anew, or do not run this command if the certificates are managed elsewhere",
		e.etcd.Namespace, name, why)
}

// write writes the authority first, so that an interrupted run never leaves a
// certificate whose authority is lost.
func (e *ensurer) write(ctx context.Context) error {
	for _, p := range e.planned {
		var err error
		switch {
		case p.action == Kept:
		case p.missing:
			_, err = e.secrets.Create(ctx, p.secret, metav1.CreateOptions{})
		default:
			_, err = e.secrets.Update(ctx, p.secret, metav1.UpdateOptions{})
		}
		if err != nil {
			return fmt.Errorf("could not write secret %s/%s: %w", e.etcd.Namespace, p.secret.Name, err)
		}
	}
	return nil
}

func (e *ensurer) outcomes() []Outcome {
	outcomes := make([]Outcome, 0, len(e.planned))
	for _, p := range e.planned {
		outcomes = append(outcomes, Outcome{Secret: p.secret.Name, Action: p.action, NotAfter: p.pair.Certificate.NotAfter})
	}
	return outcomes
}
