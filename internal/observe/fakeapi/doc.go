// Package fakeapi is an API server for tests of the observer: discovery, the
// version, lists and watches (streaming lists included) of the objects that a
// test puts there, in the encodings and with the failures of a real one. It
// keeps everything in memory, listens on loopback, authenticates nobody and
// accepts no writes over HTTP.
package fakeapi
