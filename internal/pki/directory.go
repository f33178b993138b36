package pki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/utils/clock"
)

const (
	directoryMode fs.FileMode = 0o700
	fileMode      fs.FileMode = 0o600
)

// Directory keeps an authority and what it issues in files of its own, which
// only their owner reads. A standalone server has one in its data directory.
type Directory struct {
	path      string
	authority *KeyPair
	clock     clock.PassiveClock
}

// Files names the two files of a certificate. Both are PEM.
type Files struct {
	CertFile string
	KeyFile  string
}

// OpenDirectory opens a directory, made where it is missing, with the authority
// in it: ca.crt and ca.key. An authority is kept between runs. In the last third
// of its life it gets a new certificate for the same key, so that what trusts
// the old one goes on working until that ends.
func OpenDirectory(path, commonName string, clk clock.PassiveClock) (*Directory, error) {
	if err := os.MkdirAll(path, directoryMode); err != nil {
		return nil, fmt.Errorf("could not make certificate directory: %w", err)
	}
	d := &Directory{path: path, clock: clk}
	authority, err := d.read("ca")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		authority, err = NewAuthority(commonName, clk.Now(), AuthorityLifetime)
	case err != nil:
		// Everything issued so far depends on it: never replaced by a guess.
		return nil, fmt.Errorf("certificate authority %s is unusable, remove ca.crt and ca.key to have a new one made: %w", d.Files("ca").CertFile, err)
	case authority.DueForRenewal(clk.Now()):
		authority, err = RenewAuthority(authority, clk.Now(), AuthorityLifetime)
	default:
		d.authority = authority
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	if err := d.write("ca", authority); err != nil {
		return nil, err
	}
	d.authority = authority
	return d, nil
}

// Authority is the authority's certificate with its key.
func (d *Directory) Authority() *KeyPair {
	return d.authority
}

// Files are the files of that name, whether or not they exist.
func (d *Directory) Files(name string) Files {
	return Files{
		CertFile: filepath.Join(d.path, name+".crt"),
		KeyFile:  filepath.Join(d.path, name+".key"),
	}
}

// Certificate returns the certificate of that name. It is kept between runs and
// issued anew when it is in the last third of its life, says anything but the
// profile, is another authority's or cannot be read. "ca" is the authority's
// name and refused.
func (d *Directory) Certificate(name string, profile Profile) (*KeyPair, error) {
	if name == "ca" {
		return nil, errors.New(`the name "ca" is the authority's`)
	}
	now := d.clock.Now()
	kept, err := d.read(name)
	if err == nil && !kept.DueForRenewal(now) && kept.Says(profile) && kept.SignedBy(d.authority) {
		return kept, nil
	}
	issued, err := d.authority.Issue(profile, now)
	if err != nil {
		return nil, err
	}
	if err := d.write(name, issued); err != nil {
		return nil, err
	}
	return issued, nil
}

func (d *Directory) read(name string) (*KeyPair, error) {
	files := d.Files(name)
	certificate, err := os.ReadFile(files.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(files.KeyFile)
	if err != nil {
		// Without its key a certificate is not missing but unusable: the
		// error must not read as "does not exist".
		return nil, fmt.Errorf("could not read private key: %v", err) //nolint:errorlint // see above
	}
	return ParseKeyPair(certificate, key)
}

// write writes the key first: a run that is interrupted between the two leaves
// either no certificate or one that is not of the key, and both are made anew.
func (d *Directory) write(name string, pair *KeyPair) error {
	key, err := pair.KeyPEM()
	if err != nil {
		return err
	}
	files := d.Files(name)
	if err := writeFile(files.KeyFile, key); err != nil {
		return err
	}
	return writeFile(files.CertFile, pair.CertificatePEM())
}

// writeFile replaces a file at once, so that nobody reads half of it.
func writeFile(path string, content []byte) error {
	// CreateTemp makes files that only their owner reads.
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Chmod(fileMode), temporary.Sync(), temporary.Close()); err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	return nil
}
